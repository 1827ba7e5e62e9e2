# network: links, addresses, routes and neighbors, put into the kernel with ip(8). Whatever manages the operator's network
# (networkd, ifupdown, nothing) is not asked and not touched. Only what is missing is added, and only what we really added
# is recorded as ours (RUN/network; routes also carry protocol 106), so an equal address that was there before stays.
#
#   vlan DEV TRUNK ID (vlans.sh)
#   interface DEV [keep-ra|ipv4]  address DEV ADDRESS/LENGTH [nodad]      neighbor DEV ADDRESS MAC      mtu DEV N (mtu.sh)
#   route DEV PREFIX via GATEWAY [metric N]   onlink DEV PREFIX           unreachable PREFIX
# shellcheck disable=SC2015 # A && B || C: C is for when either fails

NETWORK_PROTO=106

network_slots="@NETWORK_SLOTS@"
network_assemble() { :; }

network_check() {
  local devs='' link wrong
  for link in "$LINKS"/*; do devs="$devs ${link##*/}"; done
  { ip -o -6 route show table main; ip -o -4 route show table main; } >"$RUN/routes" 2>/dev/null
  true >"$RUN/network.adopt"
  { ! grep -q '^mtu ' "$1/network" || network_mtu_room; network_mtus_before; } >"$RUN/network.mtus"
  true >"$RUN/vlans.live"
  ! vlans_any "$1/network" || vlans_live || return 1
  wrong=$(awk -v devs="$devs " -v links="$LINKS" -v mtus="$RUN/network.mtus" -v vlans="$RUN/vlans.live" -v made="$RUN/vlans" \
    -v ours="$NETWORK_PROTO" -v routes="$RUN/routes" -v owned="$RUN/network" \
    -v rivals="$RUN/rivals" -v adopt="$1/adopt" -v adopted="$RUN/network.adopt" -v how="$(adopt_how "$1")" '@network_check.awk@' "$1/network")
  judged $? "$wrong" && vlans_possible "$1/network"
}

network_apply() {
  local line serves
  [ -e "$RUN/network" ] || true >"$RUN/network" || return 1
  network_links_up "$1/network" || return 1
  network_live && network_found "$1/network" || return 1
  if [ -n "$REPAIR" ]; then
    # What nobody asked for on a link of ours goes the way of what nobody asks for any more.
    network_differences "$1/network" extra >>"$RUN/network" || return 1
  fi
  serves=$(network_plan "$1") || refuse "the difference in addresses and routes could not be computed" || return
  # A route that ours takes the place of comes back when ours goes.
  [ -n "${HEALING:-}" ] || [ ! -s "$RUN/network.adopt" ] || { cat "$RUN/network.adopt" >>"$VAR/network.adopted" && rm -f "$RUN/network.adopt"; }
  # What will be ours is on record before it is: killed in between, the next run takes back only what is really there.
  mv "$RUN/network.during" "$RUN/network"
  if [ -s "$RUN/network.batch" ]; then
    [ -z "$serves" ] || dnsmasq_advertise_again "$1"
    ip ${BOOTING:+-force} ${HEALING:+-force} -batch "$RUN/network.batch" >"$RUN/ip.out" 2>&1 || {
      line=$(sed -n 's/^Command failed .*:\([0-9][0-9]*\)$/\1/p' "$RUN/ip.out" | head -n 1)
      WHY="$(grep -v '^Command failed' "$RUN/ip.out" | head -n 3)
ip $(sed -n "${line:-1}p" "$RUN/network.batch")"
      network_blame "$1/network" "$(sed -n "${line:-1}p" "$RUN/network.lines")"
      [ -n "${BOOTING:-}" ] && say "$WHY" && true >"$RUN/unsettled" || return 1
    }
  fi
  mv "$RUN/network.after" "$RUN/network"
  [ -z "${HEALING:-}" ] || return 0
  [ ! -s "$VAR/network.adopted" ] || network_give_back "$1/network"
  network_links_down "$1/network"
}

# network_give_back FILE: the routes that were here before ours, where FILE has none any more.
network_give_back() {
  local family route
  awk -F '\t' -v file="$1" -v rest="$VAR/network.adopted.new" '
    BEGIN {
      printf "" >rest
      while ((getline line <file) > 0) { split(line, w, " "); if (w[1] == "route") ours[w[3] " " (w[7] == "" ? (w[3] ~ /:/ ? 1024 : 0) : w[7])] = 1 }
    }
    $1 in ours { print >rest; next }
    { print ($1 ~ /:/ ? "-6 " : "") $2 }
  ' "$VAR/network.adopted" >"$RUN/network.give"
  while read -r family route; do
    [ "$family" = -6 ] || { route="$family $route" family=-4; }
    # shellcheck disable=SC2086 # words of a route
    ip "$family" route add $route 2>"$RUN/ip.out" || say "a route of before could not be put back: $route: $(cat "$RUN/ip.out")"
  done <"$RUN/network.give"
  mv "$VAR/network.adopted.new" "$VAR/network.adopted"
  [ -s "$VAR/network.adopted" ] || rm -f "$VAR/network.adopted"
}

# network_live [DIR [FILTER]]: RUN/network.live (or DIR's), a line as in a fragment for each address, route (that passes) and permanent neighbor,
# and after a tab where it is from: the routing protocol, `kernel`, `dynamic` (leased or advertised), `static`.
network_live() {
  local dir="${1:-$RUN}" filter="${2:-}"
  # shellcheck disable=SC2086 # words
  ip -o addr show >"$dir/addresses" && { ip -o -6 route show table main $filter && ip -o -4 route show table main $filter; } >"$dir/routes" &&
    ip neigh show nud permanent >"$dir/neighbors" && awk -v run="$dir" '@network_live.awk@' >"$dir/network.live" ||
    refuse "ip cannot list the addresses and routes of this host" || return
}

# network_found FILE: what was on a link before it became ours is the operator's, for as long as the link is ours:
# VAR/network.found, with a line `taken DEV` for each link that was looked at.
network_found() {
  awk -F '\t' -v run="$RUN" -v found="$VAR/network.found" '@network_found.awk@' "$1" >"$RUN/network.taken" || return 1
  [ ! -s "$RUN/network.taken" ] || { cat "$RUN/network.taken" >>"$VAR/network.found" && sync "$VAR/network.found"; }
}

# network_differences FILE drift: a line `ID TEXT` for each line of FILE that is not live, and for each that is live, on links of ours (but
# the public one, which the operator shares), and neither said by FILE, found there, nor learned; or `extra`: those as they are.
network_differences() {
  [ -e "$VAR/network.found" ] || true >"$VAR/network.found"
  awk -v mode="$2" -v ours="$NETWORK_PROTO" -v live="$RUN/network.live" -v found="$VAR/network.found" '@network_differences.awk@' "$1"
}

network_drift() {
  local dev link_id mtu name now setting settings
  vlans_drift "$1/network"
  network_settings "$1/network" >"$RUN/network.links"
  while read -r link_id dev mtu settings; do
    [ -e "$LINKS/$dev" ] || {
      echo "$link_id interface $dev is not there"
      continue
    }
    network_is_up "$dev" || echo "$link_id interface $dev is down"
    [ "${mtu%:*}" = "${mtu#*:}" ] || echo "$link_id MTU of $dev = ${mtu#*:} instead of ${mtu%:*}"
    [ -e "$SYSCTL/net/ipv6/conf/$dev" ] || continue
    for setting in $settings; do
      now=${setting#*:}
      setting=${setting%:*}
      name=net.ipv6.conf.$dev.${setting%=*}
      [ "$now" = "${setting#*=}" ] || echo "$link_id $name = ${now:-not there} instead of ${setting#*=}"
    done
  done <"$RUN/network.links"
  network_live || { echo "- $WHY"; return; }
  network_differences "$1/network" drift
}

# network_lost FILES: what is not there of what could be: on links that are there and up, and not in the place of somebody else's. It is asked
# often, and without the lock: it writes nothing that others read, and lists a full table of routes only where one of ours is missing.
network_lost() {
  local HEALING=yes dev dir="$RUN/look.$$" mtu now setting settings
  [ -s "$1/network" ] || return 0
  vlans_lost "$1/network"
  network_settings "$1/network" | while read -r _ dev mtu settings; do
    network_is_usable "$dev" || continue
    network_is_up "$dev" || echo "interface $dev"
    # As the parent of a VLAN got a smaller one, so did the VLAN: that is the parent's.
    [ "${mtu%:*}" = "${mtu#*:}" ] || ! network_mtu_fits "$dev" "${mtu%:*}" || echo "mtu $dev ${mtu%:*}"
    [ -e "$SYSCTL/net/ipv6/conf/$dev" ] || continue
    for setting in $settings; do
      now=${setting##*:} setting=${setting%:*}
      [ "$now" = "${setting#*=}" ] || echo "net.ipv6.conf.$dev.${setting%%=*}"
    done
  done
  mkdir -p "$dir" || return 0
  if network_live "$dir" "proto $NETWORK_PROTO" && network_plan "$1" "$dir" >"$dir/serves" && [ -s "$dir/network.lines" ]; then
    ! grep -qE '^(route|onlink|unreachable) ' "$dir/network.lines" || { network_live "$dir" && network_plan "$1" "$dir" >"$dir/serves"; }
    cat "$dir/network.lines"
  fi
  rm -rf "$dir"
}

# network_heal FILES: what was lost is added, and no more. What the operator has put on a link that was made again is his.
network_heal() {
  local HEALING=yes dev
  for dev in $(network_devs "$1/network"); do
    [ -e "$LINKS/$dev" ] && network_is_new "$dev" && [ -e "$VAR/network.found" ] || continue
    grep -vxF -e "taken $dev" "$VAR/network.found" >"$RUN/network.found"
    cp "$RUN/network.found" "$VAR/network.found"
    network_mtu_forget "$dev"
  done
  network_apply "$1"
}

# network_blame FILE LINE: the fragment that says LINE, or begins with it.
network_blame() {
  BLAME=$(awk -v line="$2" '/^# vpc6 / { id = $3 } index($0 " ", line " ") == 1 { print id; exit }' "$1")
}

# network_plan FILES [DIR]: the difference between what they want and what is live, as a batch for ip: RUN/network.batch, beside it
# network.lines (whose line each command is), and what is ours while the batch runs and after it. Says `serves` when an IPv6 address is
# about to be added on a link that dnsmasq serves. Where it is healed (HEALING): only what is missing, on links that are up, and not in the
# place of another's, unless the operator said that ours may take it.
network_plan() {
  local dev index there='' usable=''
  if [ -n "${HEALING:-}" ]; then
    [ ! -e "$RUN/network.up" ] || while read -r dev index; do
      [ ! -e "$LINKS/$dev/ifindex" ] || [ "$index" != "$(cat "$LINKS/$dev/ifindex")" ] || there="$there $dev"
    done <"$RUN/network.up"
    for dev in "$LINKS"/*; do ! network_is_usable "${dev##*/}" || usable="$usable ${dev##*/}"; done
  fi
  awk -v ours="$NETWORK_PROTO" -v run="${2:-$RUN}" -v owned="$RUN/network" -v dnsmasq="$1/dnsmasq" -v heal="${HEALING:-}" -v usable="$usable " -v there="$there " \
    -v adopt="$1/adopt" -v found="$VAR/network.found" '@network_plan.awk@' "$1/network"
}

# network_links_up FILE: every `interface` is up and listens to nobody's advertisements; its addresses outlive a pulled cable. Where it is
# healed (HEALING), one that is not there, or was set down, is left alone.
network_links_up() {
  local dev late='' link_id mtu setting settings state
  [ -d "$VAR/links" ] || mkdir -p "$VAR/links" || return 1
  vlans_up "$1" || return 1
  network_settings "$1" >"$RUN/network.links" || return 1
  while read -r link_id dev mtu settings; do
    [ -z "${HEALING:-}" ] || network_is_usable "$dev" || continue
    [ -e "$LINKS/$dev" ] || {
      [ -n "${BOOTING:-}" ] || refuse "interface $dev does not exist on this host" || return
      say "interface $dev does not exist on this host"
      true >"$RUN/unsettled"
      continue
    }
    network_is_up "$dev" && state=up || state=down
    if [ ! -e "$VAR/links/$dev" ]; then
      {
        echo "$state"
        sysctl_print "net/ipv6/conf/$dev/disable_ipv6" "net/ipv6/conf/$dev/accept_ra" "net/ipv6/conf/$dev/keep_addr_on_down" \
          "net/ipv6/conf/$dev/router_solicitation_delay" |
          sed -e 's|.*/||' -e "$(sysctl_learned "$dev" && echo 's/^accept_ra 2$/accept_ra 1/')"
      } >"$VAR/links/.new" && mv "$VAR/links/.new" "$VAR/links/$dev"
    fi
    # First: below 1280 a link has no IPv6, and no settings of it.
    [ "$mtu" = - ] || network_mtu "$dev" "${mtu%:*}" || late="$late$link_id $dev ${mtu%:*}$NEWLINE"
    [ -e "$SYSCTL/net/ipv6/conf/$dev" ] || settings=
    for setting in $settings; do
      [ "$setting" != forwarding=1:0 ] || dnsmasq_advertise_again "${1%/*}"
      setting=${setting%:*}
      sysctl_put "net/ipv6/conf/$dev/${setting%=*}" "${setting#*=}" || refuse "the kernel refuses net.ipv6.conf.$dev.$setting" || return
    done
    [ "$state" = up ] || ip link set dev "$dev" up 2>"$RUN/ip.out" || {
      BLAME=$link_id
      refuse "$dev does not come up: $(cat "$RUN/ip.out")"
      return
    }
  done <"$RUN/network.links"
  [ -z "$late" ] || network_mtus_late <<END || return
$late
END
  network_indexes "$1"
  WHY=
}

# network_indexes FILE: RUN/network.index, a line `DEV INDEX` for each link of ours that is there and was up once. One that was made again has
# another index.
network_indexes() {
  local dev index
  for dev in $(network_devs "$1"); do
    [ -e "$LINKS/$dev/ifindex" ] || continue
    read -r index <"$LINKS/$dev/ifindex"
    ! network_is_up "$dev" && ! grep -qsxF -e "$dev $index" "$RUN/network.index" || echo "$dev $index"
  done >"$RUN/network.index.new"
  mv "$RUN/network.index.new" "$RUN/network.index"
}

# network_gone: did one of them go? (It may come again with the index that it had.)
network_gone() {
  local dev
  [ -s "$RUN/network.index" ] || return 1
  while read -r dev _; do
    [ -e "$LINKS/$dev" ] || return 0
  done <"$RUN/network.index"
  return 1
}

# network_seen FILES: RUN/network.up, the links of ours that are up, as whoever heals has seen them last; and of those that went
# RUN/network.index is forgotten. What is lost while a link stays up is put back at once: no other host can have taken the address meanwhile, and
# the second or two that are asked on the link otherwise are too long for BFD.
network_seen() {
  local dev index
  ! network_gone || network_indexes "$1/network"
  for dev in $(network_devs "$1/network"); do
    { [ -e "$LINKS/$dev/ifindex" ] && network_is_up "$dev"; } || continue
    read -r index <"$LINKS/$dev/ifindex"
    echo "$dev $index"
  done >"$RUN/network.up"
}

# network_mute FILES: is there a link that dnsmasq serves, and that no advertisement can be sent on yet, as its own address is still checked
# for a duplicate?
network_mute() {
  local dev
  for dev in $(ip -o -6 addr show scope link tentative | awk -v dnsmasq="$1/dnsmasq" '
    BEGIN { while ((getline line <dnsmasq) > 0) if (sub(/^interface=/, "", line)) served[line] = 1 }
    ($2 in served) && !/ dadfailed/ { print $2 }
  '); do
    ! network_carrier "$dev" || return 0
  done
  return 1
}

# network_is_usable DEV: where it is healed, what is lost can be put back only on a link that is there, and that nobody set down.
network_is_usable() {
  [ -e "$LINKS/$1" ] && { network_is_up "$1" || network_is_new "$1"; }
}

# network_is_new DEV: has it come, or was it made again, since we last had it? Then nobody has set it down on purpose. (What is not known is not
# new. Nor is, yet, one that udev has not done with: it may get another name, which it cannot once it is up.)
network_is_new() {
  local dev index known
  ! has_any "${MADE:-}" "$1" || return 0
  [ -e "$RUN/network.index" ] && [ -e "$LINKS/$1/ifindex" ] && network_has "$1" "$ETC/live/files/network" || return 1
  read -r index <"$LINKS/$1/ifindex"
  while read -r dev known; do
    [ "$dev $known" != "$1 $index" ] || return 1
  done <"$RUN/network.index"
  [ ! -e "$UDEV/control" ] || [ -e "$UDEV/data/n$index" ]
}

# network_settings FILE: a line `ID DEV MTU:NOW NAME=VALUE:NOW...` for each link of ours, `-` for an MTU that nobody says. Whom it listens to: nobody; or (keep-ra) whom it did
# before, as the operator's own address may live by that. One without IPv6 gets none of it switched on; all there is to see to is that no
# guest gives this host an address by an advertisement. Duplicate address detection begins at once: what the kernel would wait before it, up to
# a second at random, is for hosts that all come up together (RFC 4862 section 5.4.2), and nobody has the address meanwhile. On a host that forwards, a tier's link that does not tells its neighbors that they
# have no router there.
network_settings() {
  awk -v sysctl="$SYSCTL" -v links="$LINKS" '@network_settings.awk@' "$1"
}

# network_devs FILE: its interfaces, and what carries VLANs among them.
network_devs() { awk '{ dev = $1 == "interface" ? $2 : $1 == "vlan" ? $3 : "" } dev != "" && !said[dev]++ { print dev }' "$1"; }

# network_has DEV FILE...: is it an interface of ours in one of them, or carries one? Whatever else its line says: what is missed here is changed unconfirmed.
network_has() {
  local dev="$1"
  shift
  awk -v dev="$dev" '($1 == "interface" && $2 == dev) || ($1 == "vlan" && $3 == dev) { found = 1; exit } END { exit !found }' "$@" 2>/dev/null
}

network_is_up() {
  local flags
  read -r flags <"$LINKS/$1/flags" && [ $((flags & 1)) = 1 ]
}

# network_links_down FILE: links that nobody names any more go back to what they were, and so does an MTU that nobody says.
network_links_down() {
  local dev found name ours said state value
  ours=$(awk '$1 == "interface" { printf "%s ", $2 }' "$1")
  said=$(awk '$1 == "mtu" { printf "%s ", $2 }' "$1")
  for found in "$VAR"/links/*; do
    [ -e "$found" ] || continue
    dev=${found##*/}
    ! has_any "$ours" "$dev" || { has_any "$said" "$dev" || network_mtu_back "$dev"; continue; }
    if [ -e "$LINKS/$dev" ]; then
      while read -r name value; do
        case $name in
          up | down) state=$name ;;
          mtu) network_mtu_give "$dev" "$value" ;;
          accept_ra) network_relearn "$dev" "$value" ;;
          *) sysctl_put "net/ipv6/conf/$dev/$name" "$value" ;;
        esac
      done <"$found"
      [ "$state" = up ] || ip link set dev "$dev" down
    fi
    rm -f "$found"
    [ ! -e "$VAR/network.found" ] ||
      { awk -v dev="$dev" '$2 != dev' "$VAR/network.found" >"$RUN/network.found" && cp "$RUN/network.found" "$VAR/network.found"; }
  done
  vlans_down "$1"
}

# A link that listened to advertisements does so again, on a host that forwards too (see sysctl_keep_learning).
network_relearn() {
  local relearn="$2"
  if [ "$relearn" = 1 ] && [ -e "$VAR/sysctl/net~ipv6~conf~all~forwarding" ] && sysctl_forwards; then
    relearn=2
    sysctl_found_learning "$1"
  fi
  sysctl_put "net/ipv6/conf/$1/accept_ra" "$relearn"
}

# Duplicate address detection takes a second or two, and needs a carrier: where there is none it has not begun.
network_health() {
  local before='' dev='' now state='' tries=0
  while :; do
    now=$(ip -o -6 addr show tentative)
    [ -n "$now" ] || return 0
    if [ "$now" != "$before" ] || ! network_carrier "$dev"; then
      before=$now
      state=$(printf '%s\n' "$now" | awk -v links="$LINKS" '
        FNR == NR && $1 == "address" && $4 != "nodad" && $3 ~ /:/ { want[$2 " " $3] = 1 }
        FNR == NR || !(($2 " " $4) in want) { next }
        / dadfailed/ { print "failed", $2, $4; exit }
        { carrier = 0; getline carrier <(links "/" $2 "/carrier"); if (carrier == 1 && !told++) print "waiting", $2, $4 }
      ' "$1/network" -)
      dev=${state% *}
      dev=${dev##* }
    fi
    case $state in
      '') return 0 ;;
      *failed\ *)
        WHY="another host on the link has the address ${state##* } already (duplicate address detection)"
        break
        ;;
    esac
    tries=$((tries + 1))
    [ $tries -lt 50 ] || {
      WHY="the address ${state##* } is still being checked for a duplicate after 5 seconds"
      break
    }
    sleep 0.1
  done
  network_blame "$1/network" "address $dev ${state##* }"
  return 1
}

network_carrier() {
  local carrier=0
  read -r carrier 2>/dev/null <"$LINKS/$1/carrier"
  [ "$carrier" = 1 ]
}

network_remove() {
  true >"$RUN/nothing"
  mkdir -p "$RUN/none" && true >"$RUN/none/network"
  network_apply "$RUN/none"
}

# network_route_to ADDRESS: ROUTE = which way the operator is reached, for `could_cut`.
network_route_to() {
  ROUTE=
  [ -n "$1" ] || return 0
  # shellcheck disable=SC2046 # words of a route
  set -- $(ip -o route get "$1" 2>/dev/null)
  while [ $# -ge 2 ]; do
    case $1 in dev | src | via) ROUTE="$ROUTE$1 $2 " ;; esac
    shift
  done
}
