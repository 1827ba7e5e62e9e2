# Sums: what each fragment was when it was put there. One that is not so any more (a disk that lost it, a bad restore, an editor) is
# nobody's word: it is set aside, what was made of it before stays, and `observe` tells its id, whose own update sends it again.
#
#   GENERATION/sums        `SUM SLOT/ID` for each fragment (SUM is - where it is not known), and `end COUNT`
#   GENERATION/files.sums  the same of the files that were made of them
#   RUN/sums.wrong         `changed|gone|stranger|unknown SLOT ID`, as `sums` finds it
#   RUN/aside              `SLOT ID` of those that `assemble` does not use, `SLOT ID soft` of those it uses only where nothing better is left

# sums GENERATION BEFORE [IDS]: RUN/sums.wrong, RUN/aside, and RUN/sums.new (see sums_write) for GENERATION, whose fragments were those of
# BEFORE but for the IDS (a file of them), which say now what they are.
sums() {
  local id slot soft
  (cd "$1/fragments" 2>/dev/null && exec find . -mindepth 2 -type f -exec sha256sum {} + 2>/dev/null) |
    awk -v before="$2/sums" -v ids="${3:-/dev/null}" -v to="$RUN/sums.new" -v aside="$RUN/aside" '@sums.awk@' >"$RUN/sums.wrong" || return 1
  [ -s "$RUN/aside" ] || return 0
  # With its secrets go the fragments of the same resource that need them.
  while read -r slot id soft; do
    [ "$slot" = secrets ] || continue
    (cd "$1/fragments" && grep -lE '@PLACEHOLDERS@' -- */"$id" 2>/dev/null) | while IFS=/ read -r slot _; do echo "$slot $id"; done
  done <"$RUN/aside" >"$RUN/aside.more"
  sort -u "$RUN/aside" "$RUN/aside.more" >"$RUN/aside.new" && mv -f "$RUN/aside.new" "$RUN/aside"
}

# sums_write FILE: by name, and the count behind them.
sums_write() {
  sort -r -k 2 "$RUN/sums.new" >"$1"
}

# sums_of_files FILES
sums_of_files() {
  # shellcheck disable=SC2086 # a list of slots
  (cd "$1" && sha256sum ${SLOTS% secrets *} ${SLOTS#* secrets }) >"${1%/*}/files.sums"
}

# sums_whole FILES: which of them are as they were made?
sums_whole() {
  (cd "$1" 2>/dev/null && sha256sum -c ../files.sums 2>/dev/null) | sed -n 's/: OK$//p'
}

# sums_mend GENERATION: before its files are applied without having been made just now (a boot, a putting back). Are they not as they
# were made, they are made again, of what is left.
sums_mend() {
  true >"$RUN/aside"
  (cd "$1/files" 2>/dev/null && sha256sum -c --status ../files.sums 2>/dev/null) && return 0
  say "the files of generation ${1##*/} are not as they were made: making them again"
  sums_remake "$1"
}

# sums_remake GENERATION: its files anew, at boot or when there is nobody to be asked. Fragments that are not whole are left out, if what
# was made of them is not whole either.
sums_remake() {
  local code=0
  rm -rf "$1/files.was"
  [ ! -d "$1/files" ] || cp -a "$1/files" "$1/files.was" || return 1
  sums "$1" "$1" && assemble "$1" boot "$1/files.was" || code=1
  rm -rf "$1/files.was"
  [ ! -s "$RUN/unresolved" ] || say "left out, as the secret is not here: $(tr '\n' ' ' <"$RUN/unresolved")"
  return $code
}

# sums_drift ROUTER: lines `ID SLOT|TEXT`, as of the last `sums`.
sums_drift() {
  [ -s "$RUN/sums.wrong" ] || return 0
  awk -v router="$1" '
    $1 == "stranger" { print router " " $2 "|a fragment of " $3 " added"; next }
    $1 == "unknown" { print $3 " " $2 "|not known to be as it was put there"; next }
    { print $3 " " $2 "|not as it was put there" }
  ' "$RUN/sums.wrong"
}

# sums_tell: whose fragments are not used, for the person who waits.
sums_tell() {
  local id
  [ -s "$RUN/aside" ] || return 0
  cut -d' ' -f2 "$RUN/aside" | sort -u | head -n 10 >"$RUN/aside.ids"
  while read -r id; do
    say "what is here of $id may not be as it was put there: it stays as it works now, until $id itself is updated"
  done <"$RUN/aside.ids"
}

# sums_set_aside: BLAME's fragments are not used either, if it is not known who put them there and they are not what is asked for
# now. 1 when that changes nothing.
sums_set_aside() {
  [ -n "$BLAME" ] && ! grep -qxF -e "$BLAME" "$PAYLOAD.ids" || return 1
  awk -v id="$BLAME" '$1 == "unknown" && $2 != "secrets" && $3 == id { print $2, $3 }' "$RUN/sums.wrong" |
    grep -vxF -f "$RUN/aside" >"$RUN/aside.more" || return 1
  cat "$RUN/aside.more" >>"$RUN/aside"
}
