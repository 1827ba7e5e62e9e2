# sysctl: lines `key = value`, and `key >= value` for a number that may be more: `memory/N` is so many as have N bytes of memory each. What was
# found is recorded before the first write, with all that the kernel changes along with it, and comes back when nobody names the key any more.

sysctl_slots="@SYSCTL_SLOTS@"
sysctl_assemble() { :; }

SYSCTL_CONNECTIONS=net/netfilter/nf_conntrack_max
SYSCTL_CONNECTIONS_LEAST=@CONNECTIONS_LEAST@
# How full (percent) the table of connections is when that is told.
SYSCTL_FULL=80

# sysctl_lines FILE: `ID KEY PATH OP VALUE` for each line; keys as sysctl(8) takes them (a slash form for interface names with dots).
sysctl_lines() {
  awk -v meminfo="$PROC/meminfo" -v least="$SYSCTL_CONNECTIONS_LEAST" -v most=@CONNECTIONS_MOST@ '@sysctl_lines.awk@' "$1"
}

sysctl_check() {
  local number=0 op path value wrong
  wrong=$(awk '
    /^# vpc6 / { id = $3; next }
    /^#/ || !NF { next }
    $0 !~ /^[ \t]*[A-Za-z0-9_.\/:@-]+[ \t]*(=[ \t]*[^ \t].*|>=[ \t]*(memory\/)?[1-9][0-9]*[ \t]*)$/ || /\.\.\// {
      print id; print "not a `key = value` line: " $0; exit
    }
    { key = $0; sub(/[ \t]*>?=.*/, "", key); sub(/^[ \t]+/, "", key); value = $0; sub(/^[^=]*=[ \t]*/, "", value) }
    key in seen && seen[key] != value { print id; print key " = " value ", but " by[key] " says " seen[key]; exit }
    { seen[key] = value; by[key] = id }
  ' "$1/sysctl")
  judged $? "$wrong" || return
  sysctl_lines "$1/sysctl" >"$RUN/sysctl.want"
  while read -r _ _ path op value; do
    number=$((number + 1))
    case $path in net/netfilter/*) [ -e "$SYSCTL/$path" ] || modprobe -q nf_conntrack 2>/dev/null ;; esac
    case $op in
      '>=') wrong=$(sysctl_affordable "$path" "$value") ;;
      *) [ -w "$SYSCTL/$path" ] && wrong='' || wrong="this kernel has no sysctl $path" ;;
    esac
    [ -z "$wrong" ] || {
      blame "$1/sysctl" "$(awk -v n=$number '!/^#/ && NF && ++i == n { print NR; exit }' "$1/sysctl")"
      refuse "$wrong"
      return
    }
  done <"$RUN/sysctl.want"
}

# sysctl_affordable PATH NUMBER: says why not. A full table of connections, of 512 bytes each, takes half of the memory at most.
sysctl_affordable() {
  local kilobytes=0
  [ "$1" = "$SYSCTL_CONNECTIONS" ] || return 0
  read -r _ kilobytes _ 2>/dev/null <"$PROC/meminfo"
  [ "${kilobytes:-0}" -gt 0 ] && [ "$2" -gt "$kilobytes" ] && [ "$2" -gt "$SYSCTL_CONNECTIONS_LEAST" ] || return 0
  echo "$2 connections can take $(($2 / 2048)) MB, and this host has $((kilobytes / 1024)) MB of memory: \`connections\` of the Router can be $kilobytes at most, half of it"
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
  local code=0 note op path value
  sysctl_lines "$1/sysctl" >"$RUN/sysctl.want"
  for note in "$VAR"/sysctl/* "$VAR"/raised/*; do
    [ -e "$note" ] || continue
    case $note in */raised/*) op='>=' ;; *) op='=' ;; esac
    path=$(echo "${note##*/}" | tr '~' /)
    grep -qsF " $path $op " "$RUN/sysctl.want" || sysctl_give_back "$note"
  done
  while read -r _ _ path op value; do
    if [ "$op" = '>=' ]; then
      sysctl_raise "$path" "$value"
      continue
    fi
    sysctl_set "$1" "$path" "$value" || {
      code=1
      [ -n "${BOOTING:-}" ] || return 1
    }
  done <"$RUN/sysctl.want"
  return $code
}

# sysctl_raise PATH LEAST: a number that is LEAST, or what was found where that is more. VAR/raised/PATH: `FOUND PUT LEAST`. What is not what we
# put is another hand's, or the kernel's after a boot: it is what is found. A container may not do this; it goes on with what its machine has.
sysctl_raise() {
  local asked='' found now note put='' want
  note=$VAR/raised/$(echo "$1" | tr / '~')
  now=$(cat "$SYSCTL/$1" 2>/dev/null)
  case $now in
    '' | *[!0-9]*)
      say "this kernel has no $1: it cannot be raised to $2"
      return
      ;;
  esac
  [ ! -r "$note" ] || read -r found put asked <"$note"
  [ "$now $2" != "$put $asked" ] || return 0
  [ "$now" = "$put" ] || found=$now
  case $found in '' | *[!0-9]*) found=$now ;; esac
  want=$2
  [ "$found" -le "$want" ] || want=$found
  if [ "$want" != "$now" ]; then
    mkdir -p "$VAR/raised"
    echo "$found $want $2" >"$note"
    if sysctl_put "$1" "$want"; then
      # The kernel takes round numbers.
      now=$(cat "$SYSCTL/$1")
      echo "$found $now $2" >"$note"
    else
      say "$1 stays $now, though $want is wanted: this host may not change it (of a container, its machine may)"
      want=$found
    fi
  fi
  [ "$want" != "$found" ] || rm -f "$note"
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

# sysctl_lost DIR: of those that the kernel tells of when they change: `PATH VALUE` of each by which the host is to forward, and does not.
sysctl_lost() {
  local path value
  sysctl_lines "$1/sysctl" | while read -r _ _ path _ value; do
    case $path in *forwarding | net/ipv4/ip_forward) ;; *) continue ;; esac
    [ "$(cat "$SYSCTL/$path" 2>/dev/null)" = "$value" ] || echo "$path $value"
  done
}

sysctl_heal() {
  local path value
  sysctl_lost "$1" >"$RUN/sysctl.lost"
  while read -r path value; do
    sysctl_set "$1" "$path" "$value" || return 1
  done <"$RUN/sysctl.lost"
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

# sysctl_give_back NOTE: what was found; of a number that was raised, unless another hand has changed it since.
sysctl_give_back() {
  local found now path put value
  case $1 in
    */raised/*)
      path=$(echo "${1##*/}" | tr '~' /)
      read -r found put _ <"$1"
      now=$(cat "$SYSCTL/$path" 2>/dev/null)
      [ "$now" != "$put" ] || sysctl_put "$path" "$found"
      ;;
    *)
      while read -r path value; do
        [ ! -e "$SYSCTL/$path" ] || sysctl_put "$path" "$value"
      done <"$1"
      ;;
  esac
  rm -f "$1"
}

sysctl_health() { :; }

sysctl_drift() {
  local fixed=' ' op path
  sysctl_lines "$1/sysctl" >"$RUN/sysctl.want"
  while read -r _ _ path op _; do
    [ "$op" = '=' ] || [ -w "$SYSCTL/$path" ] || fixed="$fixed$path "
    [ "$path" != "$SYSCTL_CONNECTIONS" ] || sysctl_full
  done <"$RUN/sysctl.want"
  awk -v sysctl="$SYSCTL" -v fixed="$fixed" '@sysctl_drift.awk@' "$RUN/sysctl.want"
}

# sysctl_full: warns when little room is left in the table of connections. That comes and goes by itself, and is no drift.
sysctl_full() {
  local count most
  count=$(cat "$SYSCTL/${SYSCTL_CONNECTIONS%_max}_count" 2>/dev/null)
  most=$(cat "$SYSCTL/$SYSCTL_CONNECTIONS" 2>/dev/null)
  case $count/$most in /* | */ | */0 | *[!0-9/]*) return ;; esac
  [ $((count * 100 / most)) -lt $SYSCTL_FULL ] ||
    warn "the table of connections is $((count * 100 / most)) % full ($count of $most): when it is full, new connections fail. See whose they are (conntrack -L there), or give the Router more \`connections\`"
}

sysctl_remove() {
  local note
  for note in "$VAR"/sysctl/* "$VAR"/raised/*; do
    [ ! -e "$note" ] || sysctl_give_back "$note"
  done
}
