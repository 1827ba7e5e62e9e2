# vlans: what the network service makes for lines `vlan NAME TRUNK ID` (IEEE 802.1Q), each beside the `interface NAME` that uses it. The trunk is
# the operator's: a card, a bond, a bridge. Only what we really made is ours to remove: RUN/vlans, lines `NAME ID`, gone with the links
# themselves at a reboot. What a trunk was before is in VAR/trunks/TRUNK: `up` or `down`, and `deaf VALUE` (of accept_ra) or `listens`.
# shellcheck disable=SC2015 # A && B || C: C is for when either fails

# vlans_any FILE: is there anything to do with VLANs?
vlans_any() { [ -s "$RUN/vlans" ] || grep -qs '^vlan ' "$1"; }

# vlans_live: RUN/vlans.live, `NAME TRUNK ID PROTOCOL` for each VLAN of this host.
vlans_live() {
  ip -o -d link show type vlan | awk '
    { trunk = name = $2; sub(/:$/, "", trunk); if (!sub(/.*@/, "", trunk)) next; sub(/@[^@]*$/, "", name) }
    { for (i = 3; i < NF; i++) if ($i == "vlan" && $(i + 1) == "protocol") print name, trunk, $(i + 4), $(i + 2) }
  ' >"$RUN/vlans.live" || refuse "ip cannot list the VLANs of this host"
}

# vlans_possible FILE: those that are not there can be made, as far as that is known before.
vlans_possible() {
  local link_id
  link_id=$(awk -v links="$RUN/vlans.live" '
    BEGIN { while ((getline line <links) > 0) { split(line, w, " "); there[w[1]] = 1 } }
    /^# vpc6 / { id = $3 }
    $1 == "vlan" && !($2 in there) { print id; exit }
  ' "$1")
  [ -z "$link_id" ] || [ -e "$PROC/net/vlan" ] || modprobe -q 8021q 2>/dev/null
  [ -z "$link_id" ] || [ -e "$PROC/net/vlan" ] || refuse "$(vlans_no_module)" "$link_id"
}

vlans_no_module() {
  echo "the kernel of this host makes no VLANs, as its module 8021q is missing: install and boot a kernel that has it, as those of Debian do (linux-image-amd64, linux-image-cloud-amd64);
in a container its machine loads it: modprobe 8021q"
}

# vlans_up FILE: ours that FILE does not want, or wants otherwise, go, trunks come up, and what is missing is made. Where it is healed
# (HEALING) nothing goes, and a trunk that is not there, or was set down, is left alone.
vlans_up() {
  local id link_id name trunk verb
  MADE=
  vlans_any "$1" || return 0
  vlans_live || return 1
  vlans_plan "$1" "$RUN/vlans" || return 1
  while read -r verb name trunk id link_id; do
    case $verb in
      gone) vlans_forget "$name" ;;
      del)
        # Nobody is to have it half removed: it is forgotten when it is gone.
        WHY=$(ip link del dev "$name" 2>&1) || return 1
        vlans_forget "$name"
        ;;
      trunk) vlans_trunk "$1" "$name" "$link_id" || return 1 ;;
      add)
        [ -e "$LINKS/$trunk" ] || continue
        [ -z "${HEALING:-}" ] || network_is_up "$trunk" || continue
        echo "$name $id" >>"$RUN/vlans"
        if ip link add link "$trunk" name "$name" type vlan id "$id" >"$RUN/ip.out" 2>&1; then
          MADE="$MADE $name"
        else
          vlans_forget "$name"
          WHY="VLAN $id on $trunk cannot be made: $(cat "$RUN/ip.out")"
          [ -e "$PROC/net/vlan" ] || WHY=$(vlans_no_module)
          BLAME=$link_id
          [ -n "${BOOTING:-}" ] && say_why && true >"$RUN/unsettled" || return 1
        fi
        ;;
    esac
  done <"$RUN/vlans.plan"
}

# vlans_plan FILE MADE: RUN/vlans.plan, what is to be done, or is not as it should be.
vlans_plan() {
  awk -v live="$RUN/vlans.live" -v made="$2" -v heal="${HEALING:-}" '@vlans_plan.awk@' "$1" >"$RUN/vlans.plan"
}

# vlans_forget NAME: it is not on record any more.
vlans_forget() {
  local name id
  [ -s "$RUN/vlans" ] || return 0
  while read -r name id; do
    [ "$name" = "$1" ] || echo "$name $id"
  done <"$RUN/vlans" >"$RUN/vlans.new"
  mv "$RUN/vlans.new" "$RUN/vlans"
}

# vlans_trunk FILE TRUNK ID: it is up, and where nobody has an address on it, advertisements that come in untagged give it none: an operator who
# lives there by such an address has it by now.
vlans_trunk() {
  local decided='' found="$VAR/trunks/$2" state word
  [ -e "$LINKS/$2" ] || {
    [ -n "${BOOTING:-}${HEALING:-}" ] || refuse "interface $2 does not exist on this host" "$3" || return
    [ -n "${HEALING:-}" ] || { say "interface $2 does not exist on this host" && true >"$RUN/unsettled"; }
    return 0
  }
  [ -z "${HEALING:-}" ] || network_is_usable "$2" || return 0
  network_is_up "$2" && state=up || state=down
  [ -e "$found" ] || { mkdir -p "$VAR/trunks" && echo "$state" >"$found"; } || return 1
  if awk -v dev="$2" '$1 == "interface" && $2 == dev { found = 1; exit } END { exit !found }' "$1"; then
    # What it listens to is then a matter of its own.
    vlans_listen "$2"
  else
    while read -r word _; do case $word in deaf | listens) decided=$word ;; esac; done <"$found"
    [ -n "$decided" ] || { decided=$(vlans_hears "$2") && echo "$decided" >>"$found"; } || return 1
    case $decided in deaf*) sysctl_put "net/ipv6/conf/$2/accept_ra" 0 ;; esac
  fi
  [ "$state" = up ] || ip link set dev "$2" up 2>"$RUN/ip.out" || refuse "$2 does not come up: $(cat "$RUN/ip.out")" "$3"
}

# vlans_hears TRUNK: `listens`, if it has an address that is not ours; else `deaf`, and what accept_ra was.
vlans_hears() {
  local address learns
  learns=$(cat "$SYSCTL/net/ipv6/conf/$1/accept_ra" 2>/dev/null)
  case ${learns:-0} in 0) echo listens && return ;; esac
  for address in $(ip -o -6 addr show dev "$1" scope global | awk '{ print $4 }'); do
    grep -qsxF -e "address $1 $address" "$RUN/network" || { echo listens && return; }
  done
  ! sysctl_learned "$1" || learns=1
  echo "deaf $learns"
}

# vlans_listen TRUNK: as before.
vlans_listen() {
  local word value=''
  grep -qE '^(deaf|listens)' "$VAR/trunks/$1" || return 0
  while read -r word value; do
    [ "$word" != deaf ] || network_relearn "$1" "$value"
  done <"$VAR/trunks/$1"
  head -n 1 "$VAR/trunks/$1" >"$RUN/vlans.new" && mv "$RUN/vlans.new" "$VAR/trunks/$1"
}

# vlans_down FILE: what carries no VLAN of ours any more goes back to what it was, unless it is an interface of ours itself.
vlans_down() {
  local found state trunk
  for found in "$VAR"/trunks/*; do
    [ -e "$found" ] || continue
    trunk=${found##*/}
    ! network_has "$trunk" "$1" || continue
    if [ -e "$LINKS/$trunk" ]; then
      vlans_listen "$trunk"
      read -r state <"$found"
      [ "$state" = up ] || ip link set dev "$trunk" down
    fi
    rm -f "$found"
  done
}

# vlans_lost FILE: those that are not there, and could be made.
vlans_lost() {
  # shellcheck disable=SC2046 # names and numbers
  set -- $(awk '$1 == "vlan" { print $2, $3, $4 }' "$1")
  while [ $# -ge 3 ]; do
    [ -e "$LINKS/$1" ] || ! network_is_usable "$2" || echo "vlan $1 $2 $3"
    shift 3
  done
}

# vlans_drift FILE: what stands in the place of one, and trunks that are not there.
vlans_drift() {
  local id link_id name trunk verb
  ! grep -qs '^vlan ' "$1" || {
    vlans_live || { echo "- $WHY"; return; }
    vlans_plan "$1" /dev/null
    while read -r verb name trunk id link_id; do
      case $verb in
        trunk)
          if [ ! -e "$LINKS/$name" ]; then echo "$link_id interface $name, which carries VLANs, is not there"
          elif ! network_is_up "$name"; then echo "$link_id interface $name, which carries VLANs, is down"; fi
          ;;
        add) [ ! -e "$LINKS/$name" ] || echo "$link_id interface $name is not VLAN $id on $trunk" ;;
        other) echo "$link_id interface $name is not VLAN $id on $trunk" ;;
      esac
    done <"$RUN/vlans.plan"
  }
}
