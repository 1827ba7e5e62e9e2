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
  wrong=$(awk -v devs="$devs " -v ours="$NETWORK_PROTO" -v routes="$RUN/routes" -v owned="$RUN/network" -v adopt="$(grep -v '^#' "$1/adopt")" -v adopted="$RUN/network.adopt" '
    function bad(text) { print id; print text; failed = 1; exit }
    function has(dev) { return index(devs, " " dev " ") }
    function v6(address) { return address ~ /^[0-9a-f:.]+$/ && address ~ /:/ }
    function v4(address) { return address ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/ }
    # The first and the last address of an IPv4 prefix, as numbers.
    function first4(text,   part, octet) {
      split(text, part, "/"); split(part[1], octet, ".")
      size4 = 2 ^ (32 - part[2])
      return int((((octet[1] * 256 + octet[2]) * 256 + octet[3]) * 256 + octet[4]) / size4) * size4
    }
    function last4(text,   from) { from = first4(text); return from + size4 - 1 }
    function meet4(one, other) { return first4(one) <= last4(other) && first4(other) <= last4(one) }
    function prefix(text,   part) {
      return split(text, part, "/") == 2 && (v6(part[1]) || v4(part[1])) && part[2] ~ /^[0-9]+$/ && part[2] <= (v6(part[1]) ? 128 : 32)
    }
    function once(key) { if (key in seen) bad($0 ": already said by " seen[key]); seen[key] = id }
    /^# vpc6 / { id = $3; next }
    /^#/ || !NF { next }
    $1 == "interface" && (NF == 2 || (NF == 3 && ($3 == "keep-ra" || $3 == "ipv4"))) { once("interface " $2); mine[$2] = 1; ok = 1 }
    $1 == "address" && (NF == 3 || (NF == 4 && $4 == "nodad")) && prefix($3) { once($1 " " $2 " " $3); ok = 1 }
    # A host has one IPv4 table: of two networks that overlap one would get packets of the other.
    $1 == "address" && ok && $3 !~ /:/ && $3 !~ /\/32$/ {
      for (i = 1; i <= count4; i++) {
        if (meet4($3, net4[i]) && !($2 == dev4[i] && first4($3) == first4(net4[i]) && last4($3) == last4(net4[i]))) {
          bad($3 " on " $2 " overlaps " net4[i] " on " dev4[i] ", of " by4[i])
        }
      }
      count4++; net4[count4] = $3; dev4[count4] = $2; by4[count4] = id
    }
    $1 == "neighbor" && NF == 4 && (v6($3) || v4($3)) && $4 ~ /^[0-9a-f][0-9a-f](:[0-9a-f][0-9a-f])+$/ { once($1 " " $2 " " $3); ok = 1 }
    $1 == "unreachable" && NF == 2 && prefix($2) { once("route " $2 " " ($2 ~ /:/ ? 1024 : 0)); next }
    $1 == "route" && $4 == "via" && prefix($3) && (v6($5) || v4($5)) && (NF == 5 || (NF == 7 && $6 == "metric" && $7 ~ /^[0-9]+$/)) {
      metric = NF == 7 ? $7 : ($3 ~ /:/ ? 1024 : 0)
      once($1 " " $3 " " metric)
      want[$3 " " metric] = $2 " " $5; by[$3 " " metric] = id; ok = 1
    }
    !ok { bad("not understood: " $0) }
    { ok = 0 }
    !has($2) {
      list = devs; sub(/ lo /, " ", list); gsub(/^ | $/, "", list); gsub(/ /, ", ", list)
      bad("interface " $2 " does not exist on this host (it has: " list ")")
    }
    # Another route to the same place, not by us: neither may silently win.
    END {
      if (failed) exit
      # Addresses of ours that are there: their networks are no strangers.
      while ((getline line <owned) > 0) {
        split(line, word, " ")
        if (word[1] == "address" && word[3] !~ /:/) known4[word[2] " " first4(word[3]) " " last4(word[3])] = 1
      }
      while ((getline line <routes) > 0) {
        n = split(line, word, " ")
        net = word[1] ~ /\// ? word[1] : word[1] "/32"
        if (net ~ /^[0-9.]+\/[0-9]+$/) {
          dev = ""; proto = ""
          for (i = 2; i < n; i++) { if (word[i] == "dev") dev = word[i + 1]; if (word[i] == "proto") proto = word[i + 1] }
          for (i = 1; i <= count4 && proto != ours; i++) {
            if (!meet4(net4[i], net) || (dev " " first4(net) " " last4(net)) in known4) continue
            if (dev == dev4[i] && first4(net) == first4(net4[i]) && last4(net) == last4(net4[i])) continue
            print by4[i]
            print net4[i] " overlaps a network that this host has on " dev ", " net
            exit
          }
        }
        if (word[1] ~ /^(unreachable|blackhole|prohibit|multicast|local|broadcast|anycast)$/) continue
        to = word[1]; via = ""; dev = ""; metric = ""; proto = ""
        for (i = 2; i < n; i++) {
          if (word[i] == "via") via = word[i + 1]
          if (word[i] == "dev") dev = word[i + 1]
          if (word[i] == "metric") metric = word[i + 1]
          if (word[i] == "proto") proto = word[i + 1]
        }
        six = (via ~ /:/ || to ~ /:/ || metric == 1024)
        if (to == "default") to = six ? "::/0" : "0.0.0.0/0"
        else if (to !~ /\//) to = to (six ? "/128" : "/32")
        if (metric == "") metric = six ? 1024 : 0
        key = to " " metric
        if (!(key in want) || proto == ours || want[key] == dev " " via) continue
        # Learned from an advertisement on an interface that becomes ours: the kernel drops it as the host begins to forward.
        if (proto == "ra" && dev in mine) continue
        if (adopt) { print key "\t" line >adopted; continue }
        id = by[key]
        print id
        print "this host has another route to " to " (" line "): remove it, or set adopt on the Router, as ours is to be used"
        exit
      }
    }
  ' "$1/network")
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
    ip neigh show nud permanent >"$RUN/neighbors" && awk -v run="$RUN" '
    function full(prefix, v6) {
      if (prefix == "default") return v6 ? "::/0" : "0.0.0.0/0"
      return prefix ~ /\// ? prefix : prefix (v6 ? "/128" : "/32")
    }
    BEGIN {
      while ((getline line <(run "/addresses")) > 0) {
        split(line, w, " ")
        if (w[3] ~ /^inet/) print "address " w[2] " " w[4] "\t" (line ~ / scope (link|host)/ ? "kernel" : line ~ / dynamic/ ? "dynamic" : "static")
      }
      while ((getline line <(run "/routes")) > 0) {
        n = split(line, w, " ")
        v6 = line ~ / pref /
        proto = "static"; via = ""; dev = ""; metric = v6 ? 1024 : 0
        for (i = 2; i < n; i++) {
          if (w[i] == "proto") proto = w[i + 1]
          if (w[i] == "via") via = w[i + 1]
          if (w[i] == "dev") dev = w[i + 1]
          if (w[i] == "metric") metric = w[i + 1]
        }
        if (w[1] == "unreachable") print "unreachable " full(w[2], v6) "\t" proto
        else if (via != "") print "route " dev " " full(w[1], v6) " via " via " metric " metric "\t" proto
        else if (dev != "" && w[1] ~ /^(default$|[0-9a-f.:]+(\/[0-9]+)?$)/) print "onlink " dev " " full(w[1], v6) " metric " metric "\t" proto
      }
      while ((getline line <(run "/neighbors")) > 0) {
        n = split(line, w, " "); dev = ""; mac = ""
        for (i = 2; i < n; i++) { if (w[i] == "dev") dev = w[i + 1]; if (w[i] == "lladdr") mac = w[i + 1] }
        print "neighbor " dev " " w[1] " " mac "\tstatic"
      }
    }
  ' >"$RUN/network.live" || refuse "ip cannot list the addresses and routes of this host" || return
}

# network_found FILE: what was on a link before it became ours is the operator's, for as long as the link is ours:
# VAR/network.found, with a line `taken DEV` for each link that was looked at.
network_found() {
  awk -F '\t' -v run="$RUN" -v found="$VAR/network.found" '
    BEGIN {
      while ((getline line <found) > 0) taken[line] = 1
      while ((getline line <(run "/network")) > 0) mine[line] = 1
      while ((getline line <(run "/network.live")) > 0) { split(line, part, "\t"); live[++count] = part[1] }
    }
    { split($0, w, " ") }
    w[1] != "interface" || ("taken " w[2]) in taken { next }
    {
      print "taken " w[2]
      for (i = 1; i <= count; i++) { split(live[i], l, " "); if (l[2] == w[2] && !(live[i] in mine)) print live[i] }
    }
  ' "$1" >"$RUN/network.taken" || return 1
  [ ! -s "$RUN/network.taken" ] || { cat "$RUN/network.taken" >>"$VAR/network.found" && sync "$VAR/network.found"; }
}

# network_differences FILE missing: `ID TEXT` for each line of FILE that is not live; or `extra`: the lines that are live,
# on links of ours (but the public one, which the operator shares), and neither said by FILE, found there, nor learned.
network_differences() {
  touch "$VAR/network.found"
  awk -v mode="$2" -v ours="$NETWORK_PROTO" -v live="$RUN/network.live" -v found="$VAR/network.found" '
    BEGIN {
      FS = "\t"
      while ((getline line <live) > 0) { split(line, part, "\t"); there[part[1]] = part[2]; list[++count] = part[1] }
      while ((getline line <found) > 0) before[line] = 1
      FS = " "
    }
    /^# vpc6 / { id = $3; next }
    /^#/ || !NF { next }
    $1 == "interface" { if ($3 != "keep-ra") tier[$2] = id; next }
    { line = $0; sub(/ nodad$/, "", line) }
    $1 == "route" && NF == 5 { line = line " metric " ($3 ~ /:/ ? 1024 : 0) }
    { want[line] = 1 }
    mode == "missing" && !(line in there) { kind = $1; sub(/^[a-z]+ /, "", line); print id, kind " removed, " line }
    END {
      for (i = 1; mode == "extra" && i <= count; i++) {
        line = list[i]; split(line, w, " "); from = there[line]
        if (line in want || line in before) continue
        if (from == ours || (w[2] in tier && from == "static")) print line
      }
    }
  ' "$1"
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
  awk -v ours="$NETWORK_PROTO" -v run="$RUN" '
    function six(text) { return text ~ /:/ }
    function kind(line) { return substr(line, 1, index(line, " ") - 1) }
    # Two lines with one key cannot both be in the kernel.
    function key(line,   w) {
      split(line, w, " ")
      if (w[1] == "route") return w[1] " " w[3] " " w[7]
      if (w[1] == "unreachable") return "route " w[2] " " (six(w[2]) ? 1024 : 0)
      if (w[1] == "address") sub(/\/.*/, "", w[3])
      return w[1] " " w[2] " " w[3]
    }
    function command(verb, line,   w) {
      split(line, w, " ")
      if (w[1] == "address") return "addr " verb " " w[3] " dev " w[2] (verb == "add" && (line in nodad) ? " nodad" : "")
      if (w[1] == "neighbor") return "neigh " verb " " w[3] " dev " w[2] (verb == "del" ? "" : " lladdr " w[4] " nud permanent")
      if (w[1] == "unreachable") return "route " verb " unreachable " w[2] " metric " (six(w[2]) ? 1024 : 0) " proto " ours
      if (w[1] == "onlink") return "route " verb " " w[3] " dev " w[2] " metric " w[5]
      return "route " verb " " w[3] " via " w[5] " dev " w[2] " metric " w[7] (verb == "del" ? "" : " proto " ours)
    }
    function emit(verb, line) {
      print command(verb, line) >(run "/network.batch")
      print (line in raw ? raw[line] : line) >(run "/network.lines")
    }
    BEGIN {
      printf "" >(run "/network.batch"); printf "" >(run "/network.lines")
      printf "" >(run "/network.during"); printf "" >(run "/network.after")
      while ((getline line <(run "/network.live")) > 0) {
        split(line, part, "\t")
        live[part[1]] = 1
        if (part[2] == ours) mine[part[1]] = 1
      }
      while ((getline line <(run "/network")) > 0) if (line in live) mine[line] = 1
    }
    /^#/ || !NF || $1 == "interface" { next }
    {
      line = $0
      if ($NF == "nodad") { line = $1 " " $2 " " $3; nodad[line] = 1 }
      if ($1 == "route" && NF == 5) line = line " metric " (six($3) ? 1024 : 0)
      if (line in want) next
      want[line] = 1; raw[line] = $0; order[++count] = line
      if (!(line in live)) { adding[key(line)] = line; print line >(run "/network.during"); print line >(run "/network.after") }
    }
    END {
      for (line in mine) {
        print line >(run "/network.during")
        if (line in want) print line >(run "/network.after")
        else if (key(line) in adding && kind(line) == "address") emit("del", line)
        else if (!(key(line) in adding)) gone[line] = 1
      }
      split("address route unreachable neighbor", kinds, " ")
      for (k = 1; k <= 4; k++) for (i = 1; i <= count; i++) {
        line = order[i]
        if (kind(line) == kinds[k] && !(line in live)) emit(kinds[k] == "address" ? "add" : "replace", line)
      }
      kinds[5] = "onlink"
      for (k = 5; k >= 1; k--) for (line in gone) if (kind(line) == kinds[k]) emit("del", line)
    }
  ' "$1" || refuse "the difference in addresses and routes could not be computed"
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
