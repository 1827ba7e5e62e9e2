# From fragments to files: for every slot one file, each fragment under a line `# vpc6 <id>` so that a line number in a
# daemon's complaint leads to the resource. The Router's own fragment comes first, the others by name. Placeholders of secrets,
# `{{password:9c1e}}`, are filled from the same resource's slot `secrets`; below ETC only root reads.

# assemble GENERATION [boot] [WAS]: GENERATION/files from GENERATION/fragments. At boot a MAC that is not there (yet) is no error. With
# WAS, the files that there were, the fragments in RUN/aside are not used (see sums.sh). RUN/filled = the slots with secrets.
assemble() {
  local aside=/dev/null boot="${2:-}" code service heads='' needs='' slot token was="${3:-}"
  if [ -n "$was" ]; then
    aside=$RUN/aside
    true >"$RUN/whole"
    [ ! -s "$aside" ] || sums_whole "$was" >"$RUN/whole"
  fi
  [ ! -e "$1/files" ] || rm -rf "$1/files" "$1/macs" || return 1
  mkdir -m 700 "$1/files" "$1/files/@CERTIFICATES@" "$1/files/@PASSWORDS@" || return 1
  macs >"$RUN/macs" || return 1
  for slot in $SLOTS; do
    [ "$slot" = secrets ] || true >"$1/files/$slot" || return 1
  done
  true >"$1/macs"
  for service in $SERVICES; do
    eval "heads=\"\$heads|$service|\${${service}_head:-}\" needs=\"\$needs|$service|\${${service}_needs:-}\""
  done
  # `./SLOT 0 ID`, in the order in which they are written.
  {
    (cd "$1/fragments" && find . -mindepth 2 -type f ! -path './secrets/*' \( -name '@ROUTER_ID@*' -printf '%h 0 %f\n' -o -printf '%h 1 %f\n' \))
    # Also those that are gone.
    [ ! -s "$aside" ] || awk '$1 != "secrets" { print "./" $1, (index($2, "@ROUTER_ID@") != 1), $2 }' "$aside"
  } | sort -u |
    awk -v from="$1/fragments/" -v to="$1/files/" -v table="$RUN/macs" -v used="$1/macs" -v boot="$boot" \
      -v yields="$1/yields" -v aside="$aside" -v whole="$RUN/whole" -v was="$was/" \
      -v heads="${heads#?}" -v needs="${needs#?}" -v filled="$RUN/filled" '@assemble.awk@' >"$RUN/unresolved"
  code=$?
  if [ $code = 3 ]; then
    read -r BLAME token <"$RUN/unresolved"
    refuse "$(no_such_mac "$token")"
    return
  fi
  if [ $code = 4 ]; then
    read -r BLAME token <"$RUN/unresolved"
    refuse "the secret $token of $BLAME is not on this router: \`pulumi up --refresh\` sends it again, with \`--target URN\` that resource's alone"
    return
  fi
  [ $code = 0 ] || refuse "the files could not be assembled (is the disk full?)" || return
  for service in $SERVICES; do
    "${service}_assemble" "$1/files" || return 1
  done
  sums_of_files "$1/files"
}

# macs: `mac-020000000011 web0` for each address that one interface holds. Of several with the same address (a bridge and
# its port, a VLAN and its parent) the one that is neither a port of another nor stacked on another.
macs() {
  local address link lower rank
  for link in "$LINKS"/*; do
    read -r address 2>/dev/null <"$link/address" || continue
    case $address in ??:??:??:??:??:??) ;; *) continue ;; esac
    [ "$address" != 00:00:00:00:00:00 ] || continue
    rank=0
    for lower in "$link"/lower_*; do [ ! -e "$lower" ] || rank=1; done
    # A bridge is stacked on its ports by choice: it is the one to use, and its ports are not.
    [ ! -d "$link/bridge" ] && [ ! -d "$link/bonding" ] || rank=0
    [ ! -e "$link/master" ] || rank=2
    echo "$address $rank ${link##*/}"
  done | awk '
    {
      gsub(":", "", $1)
      if (!($1 in rank) || $2 < rank[$1]) { rank[$1] = $2; name[$1] = $3; count[$1] = 1 }
      else if ($2 == rank[$1]) count[$1]++
    }
    END { for (mac in name) if (count[mac] == 1) print "@MAC_TOKEN@" mac, name[mac] }
  '
}

no_such_mac() {
  local address link
  echo "${1#@MAC_TOKEN@}" | sed 's/../&:/g; s/:$//; s/.*/no interface of this host (or more than one) has the MAC address &; it has:/'
  for link in "$LINKS"/*; do
    read -r address 2>/dev/null <"$link/address" || continue
    echo "${link##*/} ($address)"
  done
}

# macs_moved GENERATION: does a MAC now belong to another interface name than at its assembly?
macs_moved() {
  [ -s "$1/macs" ] || return 1
  macs >"$RUN/macs"
  awk -v table="$RUN/macs" '
    BEGIN { while ((getline line <table) > 0) { split(line, mac, " "); name[mac[1]] = mac[2] } }
    ($1 in name ? name[$1] : "no" substr($1, length("@MAC_TOKEN@") + 1)) != $2 { moved = 1 }
    END { exit !moved }
  ' "$1/macs"
}

# macs_came GENERATION: is a MAC here now that at its assembly was nowhere, or had another name? (One that went does not matter.) It writes
# nothing, as it needs no lock.
macs_came() {
  [ -s "$1/macs" ] && [ -n "$(macs | macs_names "$1")" ]
}

# macs_names GENERATION: of what `macs` says on stdin the names of those that GENERATION knows by another.
macs_names() {
  awk -v known="$1/macs" 'BEGIN { while ((getline line <known) > 0) { split(line, mac, " "); was[mac[1]] = mac[2] } } $1 in was && was[$1] != $2 { print $2 }'
}

# blame FILE LINE: BLAME = the fragment in which that line of an assembled file is.
blame() {
  BLAME=$(awk -v line="$2" 'NR > line { exit } /^# vpc6 / { id = $3 } END { print id }' "$1")
}

# differences OLD NEW [more]: DIFFERENT = the files that differ between two folders, or are in one of them only; with `more`, NEW may have others
# beside. `all`: not known.
differences() {
  DIFFERENT=$(diff -rq "$1" "$2" 2>&1 | awk -v old="$1" -v new="$2" -v more="${3:-}" '
    (($1 == "Files" && $3 == "and" && $5 == "differ") || ($1 == "File" && $3 == "is")) && index($2, old "/") == 1 { printf "%s ", substr($2, length(old) + 2); next }
    $1 == "Only" && $2 == "in" && ($3 == old ":" || ($3 == new ":" && !more)) { printf "%s ", $4; next }
    $1 == "Only" || $1 == "Files" { next }
    # What is not understood is different.
    { printf "all " }
  ')
}

# differs SERVICE: do its slots, between the generations that `differences` was told?
differs() {
  local its_slots
  eval "its_slots=\$$1_slots"
  # shellcheck disable=SC2086,SC2154 # a list of slots, from eval
  has_any "$DIFFERENT" all $its_slots
}
