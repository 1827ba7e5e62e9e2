# The MTU of links (see services/network.sh): set where a fragment says one (`mtu DEV N`). What it was before is in the link's file below
# VAR/links, as `mtu N`, and comes back when nobody says one any more.

# network_mtu DEV N
network_mtu() {
  local now
  read -r now <"$LINKS/$1/mtu" || return 1
  network_mtu_before "$1"
  [ -n "$MTU_BEFORE" ] || echo "mtu $now" >>"$VAR/links/$1"
  [ "$now" = "$2" ] || ip link set dev "$1" mtu "$2" 2>"$RUN/ip.out"
}

# network_mtus_late: lines `ID DEV N` on stdin, those that could not be set at first: a VLAN has no larger one than its parent, which may be
# one of ours, behind it. What heals, or boots, goes on without.
network_mtus_late() {
  local dev link_id mtu
  while read -r link_id dev mtu; do
    [ -n "$dev" ] || continue
    ! network_mtu "$dev" "$mtu" || continue
    WHY="$dev does not take an MTU of $mtu: $(cat "$RUN/ip.out")"
    if [ -n "${BOOTING:-}${HEALING:-}" ]; then
      say "$WHY"
      [ -z "${BOOTING:-}" ] || true >"$RUN/unsettled"
      continue
    fi
    BLAME=$link_id
    return 1
  done
}

# network_mtu_before DEV: MTU_BEFORE = what it was before ours, if that is known.
network_mtu_before() {
  local name value
  MTU_BEFORE=
  [ ! -e "$VAR/links/$1" ] || while read -r name value; do
    [ "$name" != mtu ] || MTU_BEFORE=$value
  done <"$VAR/links/$1"
}

# network_mtu_forget DEV: one that was made again has its own.
network_mtu_forget() {
  network_mtu_before "$1"
  [ -n "$MTU_BEFORE" ] || return 0
  grep -v '^mtu ' "$VAR/links/$1" >"$VAR/links/.new" && mv "$VAR/links/.new" "$VAR/links/$1"
}

# network_mtu_back DEV: nobody says one any more.
network_mtu_back() {
  network_mtu_before "$1"
  [ -n "$MTU_BEFORE" ] || return 0
  network_mtu_give "$1" "$MTU_BEFORE"
  network_mtu_forget "$1"
}

# network_mtu_give DEV N
network_mtu_give() {
  [ ! -e "$LINKS/$1" ] || ip link set dev "$1" mtu "$2" 2>"$RUN/ip.out" ||
    say "$1 has another MTU than before vpc6, which cannot be put back: $2: $(cat "$RUN/ip.out")"
}

# network_mtu_fits DEV N: has what is below it (a VLAN's parent, a bridge's port) room for that? A bond gives its own to what is below.
network_mtu_fits() {
  local below mtu
  [ ! -e "$LINKS/$1/bonding" ] || return 0
  for below in "$LINKS/$1"/lower_*; do
    [ -e "$below/mtu" ] || continue
    read -r mtu <"$below/mtu"
    [ "$mtu" -ge "$2" ] || return 1
  done
}

# network_mtu_room: what is to be known to judge an MTU: a line `device DEV LEAST MOST` for each link, and `below DEV LOWER` for each that is
# on another one.
network_mtu_room() {
  local below dev
  ip -d -o link show | awk '{
    dev = $2; sub(/[@:].*/, "", dev); least = most = 0
    for (i = 3; i < NF; i++) { if ($i == "minmtu") least = $(i + 1); if ($i == "maxmtu") most = $(i + 1) }
    print "device", dev, least, most
  }'
  for below in "$LINKS"/*/lower_*; do
    dev=${below%/lower_*}
    dev=${dev##*/}
    [ ! -e "$below" ] || [ -e "$LINKS/$dev/bonding" ] || echo "below $dev ${below##*/lower_}"
  done
}

# network_mtus_before: a line `before DEV MTU` for each link of which the MTU is ours.
network_mtus_before() {
  local dev name value
  for dev in "$VAR"/links/*; do
    [ ! -e "$dev" ] || while read -r name value; do
      [ "$name" != mtu ] || echo "before ${dev##*/} $value"
    done <"$dev"
  done
}
