# sysctl: lines `key = value`. What was found is recorded before the first write, with all that the kernel changes along
# with it, and comes back when nobody names the key any more.

sysctl_slots="@SYSCTL_SLOTS@"
sysctl_assemble() { :; }

# sysctl_lines FILE: `path value` for each key; keys as sysctl(8) takes them (a slash form for interface names with dots).
sysctl_lines() {
  awk '
    /^#/ || !NF { next }
    { at = index($0, "="); key = substr($0, 1, at - 1); value = substr($0, at + 1) }
    { gsub(/^[ \t]+|[ \t]+$/, "", key); gsub(/^[ \t]+|[ \t]+$/, "", value) }
    { if (key !~ /\//) gsub(/\./, "/", key); print key, value }
  ' "$1"
}

sysctl_check() {
  local number=0 path value wrong
  wrong=$(awk '
    /^# vpc6 / { id = $3; next }
    /^#/ || !NF { next }
    $0 !~ /^[ \t]*[A-Za-z0-9_.\/:@-]+[ \t]*=[ \t]*[^ \t].*$/ || /\.\.\// { print id; print "not a `key = value` line: " $0; exit }
    { key = $0; sub(/[ \t]*=.*/, "", key); sub(/^[ \t]+/, "", key); value = $0; sub(/^[^=]*=[ \t]*/, "", value) }
    key in seen && seen[key] != value { print id; print key " = " value ", but " by[key] " says " seen[key]; exit }
    { seen[key] = value; by[key] = id }
  ' "$1/sysctl")
  judged $? "$wrong" || return
  sysctl_lines "$1/sysctl" >"$RUN/sysctl.want"
  while read -r path value; do
    number=$((number + 1))
    case $path in net/netfilter/*) [ -e "$SYSCTL/$path" ] || modprobe -q nf_conntrack 2>/dev/null ;; esac
    [ -w "$SYSCTL/$path" ] || {
      blame "$1/sysctl" "$(awk -v n=$number '!/^#/ && NF && ++i == n { print NR; exit }' "$1/sysctl")"
      refuse "this kernel has no sysctl $path"
      return
    }
  done <"$RUN/sysctl.want"
}

# sysctl_note PATH: records PATH and what the kernel changes with it: `conf/all/x` every interface's x, forwarding also
# IPv4's accept_redirects.
sysctl_note() {
  local note
  note=$VAR/sysctl/$(echo "$1" | tr / '~')
  [ ! -e "$note" ] || return 0
  mkdir -p "$VAR/sysctl"
  {
    sysctl_print "$1"
    case $1 in
      net/ipv4/ip_forward) sysctl_print net/ipv4/conf/all/accept_redirects net/ipv4/conf/*/forwarding ;;
      net/ipv[46]/conf/all/*) sysctl_print "${1%/all/*}"/*/"${1##*/}" ;;
    esac
  } >"$note.new" && mv "$note.new" "$note"
}

# sysctl_print PATTERN...: `path value` for each. (Not by `read`: dash reads byte by byte, and from the second byte on these
# files are empty.)
sysctl_print() {
  # shellcheck disable=SC2048,SC2086 # patterns
  (cd "$SYSCTL" && grep -sH '' $*) | sed 's/:/ /'
}

sysctl_put() {
  { echo "$2" >"$SYSCTL/$1"; } 2>/dev/null
}

# sysctl_apply DIR: keys named there get their value, recorded ones that are not come back to what was found.
sysctl_apply() {
  local code=0 note path value
  sysctl_lines "$1/sysctl" >"$RUN/sysctl.want"
  for note in "$VAR"/sysctl/*; do
    [ -e "$note" ] || continue
    path=$(echo "${note##*/}" | tr '~' /)
    if ! grep -qs "^$path " "$RUN/sysctl.want"; then
      sysctl_restore "$note"
    fi
  done
  while read -r path value; do
    sysctl_set "$1" "$path" "$value" || {
      code=1
      [ -n "${BOOTING:-}" ] || return 1
    }
  done <"$RUN/sysctl.want"
  return $code
}

# sysctl_set DIR PATH VALUE
sysctl_set() {
  sysctl_note "$2"
  [ "$2 $3" != "net/ipv6/conf/all/forwarding 1" ] || sysctl_forwards || {
    sysctl_keep_learning "$1"
    dnsmasq_advertise_again "$1"
  }
  sysctl_put "$2" "$3" || refuse "the kernel refuses $2 = $3"
}

# sysctl_lost DIR: of those that the kernel tells of when they change: is the host to forward, and does it not?
sysctl_lost() {
  local path value
  sysctl_lines "$1/sysctl" | while read -r path value; do
    case $path in *forwarding | net/ipv4/ip_forward) ;; *) continue ;; esac
    [ "$(cat "$SYSCTL/$path" 2>/dev/null)" = "$value" ] || echo "$path"
  done
}

sysctl_heal() {
  local path
  for path in $(sysctl_lost "$1"); do
    sysctl_set "$1" "$path" "$(sysctl_lines "$1/sysctl" | awk -v path="$path" '$1 == path { print $2 }')" || return 1
  done
}

# (Its first byte tells: see sysctl_print.)
sysctl_forwards() {
  local value=''
  read -r value <"$SYSCTL/net/ipv6/conf/all/forwarding"
  [ "$value" != 0 ]
}

# A forwarding host stops listening to router advertisements where accept_ra is 1: an operator whose own interface lives by
# them would lose address and route within minutes. There it becomes 2, on every interface but ours (that do not keep-ra).
sysctl_keep_learning() {
  local dev path
  for path in "$SYSCTL"/net/ipv6/conf/*/accept_ra; do
    dev=${path#"$SYSCTL"/net/ipv6/conf/}
    dev=${dev%/accept_ra}
    case $dev in all | default | lo) continue ;; esac
    ! grep -qsxF -e "interface $dev" -e "interface $dev ipv4" "$1/network" || continue
    [ "$(cat "$path")" = 1 ] || continue
    sysctl_found_learning "$dev"
    echo 2 >"$path"
  done
}

# The note of `forwarding` also holds which interfaces had accept_ra = 1.
sysctl_found_learning() {
  grep -qs "conf/$1/accept_ra " "$VAR/sysctl/net~ipv6~conf~all~forwarding" ||
    echo "net/ipv6/conf/$1/accept_ra 1" >>"$VAR/sysctl/net~ipv6~conf~all~forwarding"
}

# sysctl_learned DEV: was it 1 before sysctl_keep_learning?
sysctl_learned() { grep -qsxF "net/ipv6/conf/$1/accept_ra 1" "$VAR/sysctl/net~ipv6~conf~all~forwarding"; }

sysctl_restore() {
  local path value
  while read -r path value; do
    [ ! -e "$SYSCTL/$path" ] || sysctl_put "$path" "$value"
  done <"$1"
  rm -f "$1"
}

sysctl_health() { :; }

sysctl_drift() {
  awk -v sysctl="$SYSCTL" '@sysctl_drift.awk@' "$1/sysctl"
}

sysctl_remove() {
  local note
  for note in "$VAR"/sysctl/*; do
    [ ! -e "$note" ] || sysctl_restore "$note"
  done
}
