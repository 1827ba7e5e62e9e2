# What follows the router's program (all but its verbs) in test/lab/fuzz.test.ts: stages, assembles and checks many payloads, each as if the
# router had nothing, in a network namespace whose interfaces are made as the payloads name them. Nothing is applied but links and addresses,
# and those in the namespace only. Answers: `ok N`, or `refused N SERVICE ID` and why, in lines that begin with `|`.
# shellcheck shell=sh disable=SC2154,SC2034 # variables of the program

HOME_DIR=/run/vpc6-fuzz
RUN=$HOME_DIR/run
VAR=$HOME_DIR/var
CONFIRMED=$HOME_DIR/confirmed
NEXT=$HOME_DIR/next
rm -rf "$HOME_DIR"
mkdir -p "$RUN" "$VAR" "$CONFIRMED/files" "$HOME_DIR/payloads"
# A host whose FRR is ours.
echo frr >"$VAR/packages"
awk -v dir="$HOME_DIR/payloads/" '/^vpc6-transaction 1$/ { if (file != "") close(file); n++; file = dir n } { print >file }'

# A VLAN is a link of its own here, as this kernel may make none. The last payload's are no link of this one's, nor is what it called so.
vlans_possible() { :; }
vlans_live() { true >"$RUN/vlans.live"; }
ip() {
  case "${1:-} ${2:-} ${3:-}" in
    'link add link') command ip link add name "$6" type bridge ;;
    *) command ip "$@" ;;
  esac
}

mount -t sysfs none /sys || exit 1
ip link set lo up

# device NAME [MAC]: a port-less bridge, of the largest MTU. Where the kernel takes no such name, no host has such an interface.
device() {
  [ ! -e "/sys/class/net/$1" ] || return 0
  # shellcheck disable=SC2086 # two words or none
  ip link add name "$1" mtu 9216 ${2:+address $2} type bridge 2>"$RUN/device.err" || {
    CULPRIT=device
    WHY="$1 ${2:-}: $(cat "$RUN/device.err")"
    return 1
  }
  ip link set dev "$1" up
}

# The public network as the operator has it, and a way out for translated traffic.
device pub0 && ip -6 addr add 2001:db8:ffff::10/64 dev pub0 nodad && ip addr add 203.0.113.10/24 dev pub0 && ip route add default via 203.0.113.1 dev pub0 || exit 1

devices() {
  find "$NEXT/fragments/network" -type f -exec cat {} + >"$RUN/lines"
  cat "$RUN/vlans" "$RUN/lines" 2>/dev/null | awk '$1 == "vlan" { print $2; next } NF == 2 && !/^(interface|unreachable) / { print $1 }' | sort -u >"$RUN/gone"
  rm -f "$RUN/vlans"
  while read -r name; do [ ! -e "/sys/class/net/$name" ] || ip link del dev "$name" || return 1; done <"$RUN/gone"
  awk '$1 == "vlan" { made[$2] = 1; print $3 } $1 == "interface" && !($2 in made) { print $2 }' "$RUN/lines" | sort -u >"$RUN/devices"
  while read -r name; do
    case $name in
      mac-????????????)
        mac=$(echo "${name#mac-}" | sed 's/../&:/g; s/:$//')
        grep -qxF "$mac" /sys/class/net/*/address || device "m${name#mac-}" "$mac" || return 1
        ;;
      *) device "$name" || return 1 ;;
    esac
  done <"$RUN/devices"
}

# Tayga reads its configuration when it makes a device, and has no other way to be asked.
tayga_reads() {
  tayga_split "$NEXT/files/tayga" || return 1
  for conf in "$RUN"/tayga.new/*.conf; do
    [ -e "$conf" ] || break
    WHY=$(tayga --mktun --config "$conf" 2>&1) || return 1
    WHY=
    ip link del dev "$(basename "$conf" .conf)"
  done
}

judge() {
  CULPRIT='' BLAME='' WHY=''
  rm -rf "$NEXT"
  mkdir "$NEXT"
  CULPRIT=payload
  read_payload "$RUN/payload" <"$1" && stage_payload "$RUN/payload" "$NEXT/fragments" && devices || return 1
  CULPRIT=assembly
  assemble "$NEXT" || return 1
  for CULPRIT in $SERVICES; do
    "${CULPRIT}_check" "$NEXT/files" || return 1
  done
  CULPRIT=tayga
  [ ! -s "$NEXT/files/tayga" ] || tayga_reads || return 1
  CULPRIT=network
  network_apply "$NEXT/files" || return 1
}

number=1
while [ -e "$HOME_DIR/payloads/$number" ]; do
  if judge "$HOME_DIR/payloads/$number"; then
    echo "ok $number"
  else
    echo "refused $number $CULPRIT ${BLAME:--}"
    printf '%s\n' "${WHY:-no reason}" | head -n 20 | sed 's/^/|/'
  fi
  number=$((number + 1))
done
