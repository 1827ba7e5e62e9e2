# network: links, addresses, routes and neighbors, put into the kernel with ip(8). Whatever manages the operator's network
# (networkd, ifupdown, nothing) is not asked and not touched. Only what is missing is added, and only what we really added
# is recorded as ours (RUN/network; routes also carry protocol 106), so an equal address that was there before stays.
#
#   interface DEV [keep-ra|ipv4]  address DEV ADDRESS/LENGTH [nodad]      neighbor DEV ADDRESS MAC
#   route DEV PREFIX via GATEWAY [metric N]                               unreachable PREFIX
# shellcheck disable=SC2015 # A && B || C: C is for when either fails

NETWORK_PROTO=106

network_slots="@NETWORK_SLOTS@"
network_assemble() { :; }

network_check() {
  local devs='' link wrong
  for link in "$LINKS"/*; do devs="$devs ${link##*/}"; done
  { ip -o -6 route show table main; ip -o -4 route show table main; } >"$RUN/routes" 2>/dev/null
  true >"$RUN/network.adopt"
  wrong=$(awk -v devs="$devs " -v ours="$NETWORK_PROTO" -v routes="$RUN/routes" -v owned="$RUN/network" \
    -v adopt="$(grep -v '^#' "$1/adopt")" -v adopted="$RUN/network.adopt" -v how="$(adopt_how "$1")" '@network_check.awk@' "$1/network")
  judged "$wrong"
}

network_apply() {
  local line
  touch "$RUN/network"
  network_links_up "$1/network" || return 1
  network_live && network_found "$1/network" || return 1
  if [ -n "$REPAIR" ]; then
    # What nobody asked for on a link of ours goes the way of what nobody asks for any more.
    network_differences "$1/network" extra >>"$RUN/network" || return 1
  fi
  network_plan "$1/network" || return 1
  # A route that ours takes the place of comes back when ours goes.
  [ ! -s "$RUN/network.adopt" ] || { cat "$RUN/network.adopt" >>"$VAR/network.adopted" && rm -f "$RUN/network.adopt"; }
  # What will be ours is on record before it is: killed in between, the next run takes back only what is really there.
  mv "$RUN/network.during" "$RUN/network"
  if [ -s "$RUN/network.batch" ]; then
    ! network_serves "$1/dnsmasq" || dnsmasq_advertise_again "$1"
    ip ${BOOTING:+-force} -batch "$RUN/network.batch" >"$RUN/ip.out" 2>&1 || {
      line=$(sed -n 's/^Command failed .*:\([0-9][0-9]*\)$/\1/p' "$RUN/ip.out" | head -n 1)
      WHY="$(grep -v '^Command failed' "$RUN/ip.out" | head -n 3)
ip $(sed -n "${line:-1}p" "$RUN/network.batch")"
      network_blame "$1/network" "$(sed -n "${line:-1}p" "$RUN/network.lines")"
      [ -n "${BOOTING:-}" ] && say "$WHY" && true >"$RUN/unsettled" || return 1
    }
  fi
  mv "$RUN/network.after" "$RUN/network"
  [ ! -s "$VAR/network.adopted" ] || network_give_back "$1/network"
  network_links_down "$1/network"
}

# network_serves FILE: is an IPv6 address about to be added on a link that dnsmasq serves by FILE?
network_serves() {
  awk -v file="$1" '
    BEGIN { while ((getline line <file) > 0) if (sub(/^interface=/, "", line)) on[line] = 1 }
    $1 == "addr" && $2 == "add" && $3 ~ /:/ && $5 in on { found = 1; exit }
    END { exit !found }
  ' "$RUN/network.batch"
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

# network_live: RUN/network.live, a line as in a fragment for each address, route and permanent neighbor, and after a tab where
# it is from: the routing protocol, `kernel`, `dynamic` (leased or advertised), `static`.
network_live() {
  ip -o addr show >"$RUN/addresses" && { ip -o -6 route show table main && ip -o -4 route show table main; } >"$RUN/routes" &&
    ip neigh show nud permanent >"$RUN/neighbors" && awk -v run="$RUN" '@network_live.awk@' >"$RUN/network.live" ||
    refuse "ip cannot list the addresses and routes of this host" || return
}

# network_found FILE: what was on a link before it became ours is the operator's, for as long as the link is ours:
# VAR/network.found, with a line `taken DEV` for each link that was looked at.
network_found() {
  awk -F '\t' -v run="$RUN" -v found="$VAR/network.found" '@network_found.awk@' "$1" >"$RUN/network.taken" || return 1
  [ ! -s "$RUN/network.taken" ] || { cat "$RUN/network.taken" >>"$VAR/network.found" && sync "$VAR/network.found"; }
}

# network_differences FILE missing: `ID TEXT` for each line of FILE that is not live; or `extra`: the lines that are live,
# on links of ours (but the public one, which the operator shares), and neither said by FILE, found there, nor learned.
network_differences() {
  touch "$VAR/network.found"
  awk -v mode="$2" -v ours="$NETWORK_PROTO" -v live="$RUN/network.live" -v found="$VAR/network.found" '@network_differences.awk@' "$1"
}

network_drift() {
  local dev link_id name now
  mkdir -p "$VAR/links"
  awk '/^# vpc6 / { id = $3 } /^interface / { print id, $2 }' "$1/network" >"$RUN/network.links"
  while read -r link_id dev; do
    [ -e "$LINKS/$dev" ] || {
      echo "$link_id interface $dev is not there"
      continue
    }
    network_is_up "$dev" || echo "$link_id interface $dev is down"
    for name in $(network_settings "$1/network" "$dev"); do
      [ -e "$SYSCTL/net/ipv6/conf/$dev" ] || continue
      now=$(cat "$SYSCTL/net/ipv6/conf/$dev/${name%=*}" 2>/dev/null)
      [ "$now" = "${name#*=}" ] ||
        echo "$link_id net.ipv6.conf.$dev.${name%=*} = ${now:-not there} instead of ${name#*=}"
    done
  done <"$RUN/network.links"
  network_live || { echo "- $WHY"; return; }
  network_differences "$1/network" missing
  network_differences "$1/network" extra | awk -v links="$RUN/network.links" '
    BEGIN { while ((getline line <links) > 0) { split(line, w, " "); of[w[2]] = w[1] } }
    { id = $2 in of ? of[$2] : "-"; kind = $1 == "onlink" ? "route" : $1; sub(/^[a-z]+ /, ""); print id, kind " added, " $0 }
  '
}

# network_blame FILE LINE: the fragment that says LINE, or begins with it.
network_blame() {
  BLAME=$(awk -v line="$2" '/^# vpc6 / { id = $3 } index($0 " ", line " ") == 1 { print id; exit }' "$1")
}

# network_plan FILE: the difference between what FILE wants and what is live, as a batch for ip: RUN/network.batch, beside it
# network.lines (whose line each command is), and what is ours while the batch runs and after it.
network_plan() {
  awk -v ours="$NETWORK_PROTO" -v run="$RUN" '@network_plan.awk@' "$1" || refuse "the difference in addresses and routes could not be computed"
}

# network_links_up FILE: every `interface` is up and listens to nobody's advertisements; its addresses outlive a pulled cable.
network_links_up() {
  local dev name state
  mkdir -p "$VAR/links"
  awk '/^interface / { print $2 }' "$1" >"$RUN/links"
  while read -r dev; do
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
        sysctl_print "net/ipv6/conf/$dev/disable_ipv6" "net/ipv6/conf/$dev/accept_ra" "net/ipv6/conf/$dev/keep_addr_on_down" |
          sed -e 's|.*/||' -e "$(sysctl_learned "$dev" && echo 's/^accept_ra 2$/accept_ra 1/')"
      } >"$VAR/links/.new" && mv "$VAR/links/.new" "$VAR/links/$dev"
    fi
    for name in $(network_settings "$1" "$dev"); do
      [ -e "$SYSCTL/net/ipv6/conf/$dev" ] || continue
      [ "$name" != forwarding=1 ] || sysctl_forwards "$dev" || dnsmasq_advertise_again "${1%/*}"
      sysctl_put "net/ipv6/conf/$dev/${name%=*}" "${name#*=}" || refuse "the kernel refuses net.ipv6.conf.$dev.$name" || return
    done
    [ "$state" = up ] || ip link set dev "$dev" up 2>"$RUN/ip.out" || {
      network_blame "$1" "interface $dev"
      refuse "$dev does not come up: $(cat "$RUN/ip.out")"
      return
    }
  done <"$RUN/links"
  WHY=
}

# network_settings FILE DEV: what a link of ours is set to. One without IPv6 gets none of it switched on; all there is to see to
# is that no guest gives this host an address by an advertisement. On a host that forwards, a tier's link that does not tells its
# neighbors that they have no router there.
network_settings() {
  if grep -qxF "interface $2 ipv4" "$1"; then
    echo accept_ra=0
  else
    echo "disable_ipv6=0 accept_ra=$(network_ra "$1" "$2") keep_addr_on_down=1"
    ! sysctl_forwards all || grep -qxF "interface $2 keep-ra" "$1" || echo forwarding=1
  fi
}

# Whom a link of ours listens to: nobody; or (keep-ra) whom it did before, as the operator's own address may live by that.
network_ra() {
  if grep -qxF "interface $2 keep-ra" "$1" && [ "$(cat "$SYSCTL/net/ipv6/conf/$2/accept_ra")" != 0 ]; then
    echo 2
  else
    echo 0
  fi
}

# network_has FILE DEV: is it an interface of ours there? Whatever else its line says: what is missed here is changed unconfirmed.
network_has() {
  awk -v dev="$2" '$1 == "interface" && $2 == dev { found = 1; exit } END { exit !found }' "$1" 2>/dev/null
}

network_is_up() {
  local flags
  read -r flags <"$LINKS/$1/flags" && [ $((flags & 1)) = 1 ]
}

# network_links_down FILE: links that nobody names any more go back to what they were.
network_links_down() {
  local dev found name state value
  for found in "$VAR"/links/*; do
    [ -e "$found" ] || continue
    dev=${found##*/}
    ! network_has "$1" "$dev" || continue
    if [ -e "$LINKS/$dev" ]; then
      while read -r name value; do
        case $name in
          up | down) state=$name ;;
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
}

# A link that listened to advertisements does so again, on a host that forwards too (see sysctl_keep_learning).
network_relearn() {
  local relearn="$2"
  if [ "$relearn" = 1 ] && [ -e "$VAR/sysctl/net~ipv6~conf~all~forwarding" ] && sysctl_forwards all; then
    relearn=2
    sysctl_found_learning "$1"
  fi
  sysctl_put "net/ipv6/conf/$1/accept_ra" "$relearn"
}

# Duplicate address detection takes a second or two, and needs a carrier: where there is none it has not begun.
network_health() {
  local dev state tries
  awk '/^address / && $4 != "nodad" && $3 ~ /:/ { print $2, $3 }' "$1/network" >"$RUN/dad"
  [ -s "$RUN/dad" ] || return 0
  tries=0
  while :; do
    ip -o -6 addr show tentative >"$RUN/tentative"
    [ -s "$RUN/tentative" ] || return 0
    state=$(awk -v wanted="$RUN/dad" -v links="$LINKS" '
      BEGIN { while ((getline line <wanted) > 0) want[line] = 1 }
      !(($2 " " $4) in want) { next }
      / dadfailed/ { print "failed", $2, $4; exit }
      { carrier = 0; getline carrier <(links "/" $2 "/carrier"); if (carrier == 1 && !told++) print "waiting", $2, $4 }
    ' "$RUN/tentative")
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
  dev=${state% *}
  network_blame "$1/network" "address ${dev##* } ${state##* }"
  return 1
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
