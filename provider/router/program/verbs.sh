# What is asked besides transactions.
# shellcheck disable=SC2015 # A \&\& B || C: C is for when either fails

# confirm N: a fresh connection got in, so generation N stays.
confirm() {
  local last
  trap '' HUP PIPE INT TERM
  run_dir && exec 9>>"$RUN/lock" && flock -w 20 9 || { busy; return; }
  generations || { answer failed; return; }
  pending
  last=${CONFIRMED##*/}
  if [ "$last" = "$1" ] || { [ "$1" -lt "$last" ] && ! grep -qsx "$1" "$RUN/undone"; }; then
    # Also one that was confirmed, the answer got lost, and others have come on top of it.
    answer ok "$1" same
  elif [ "$PENDING" = waiting ] && [ "$PENDING_N" = "$1" ]; then
    settle "$1" || { answer failed; return; }
    answer ok "$1" same
  else
    refuse "generation $1 was put back: its confirmation did not come in time"
    answer refused
  fi
}

# rollback N: from the timer. Does nothing when N was confirmed, or has a later deadline.
rollback() {
  local code
  trap '' HUP PIPE INT TERM
  run_dir && exec 9>>"$RUN/lock" && flock -w 500 9 || return 1
  held_by "the undoing of what was not confirmed"
  pending
  now
  [ "$PENDING_N" = "$1" ] && [ "$NOW" -ge "$PENDING_UNTIL" ] || return 0
  generations || return 1
  say "generation $1 was not confirmed: putting back ${CONFIRMED##*/}"
  put_back
  code=$?
  [ -z "$WHY" ] || say_why
  # The timer that runs us is stopped by nobody else, and ends with us.
  rm -f "$RUN/pending"
  sweep
  return "$code"
}

# boot firewall: before there is a network. boot: when the links are there. The last confirmed configuration, without Pulumi.
boot() {
  local code=0 service
  BOOTING=yes
  run_dir && exec 9>>"$RUN/lock" && flock -w 60 9 || return 1
  held_by "the start of this router"
  generations || return 1
  if [ "${1:-}" = firewall ]; then
    sums_mend "$CONFIRMED"
    if [ -s "$CONFIRMED/files/nftables" ]; then
      nftables_apply "$CONFIRMED/files" && return 0
      say "the packet filter does not load: $WHY"
    else
      # There has never been one, or it is lost.
      grep -qs '^nftables ' "$RUN/aside" || return 0
      say "the packet filter is lost"
    fi
    nftables_closed
    true >"$RUN/closed"
    true >"$RUN/unsettled"
    return 1
  fi
  recover_boot
  if [ -e "$RUN/closed" ]; then
    say "nothing is forwarded or served, as the packet filter does not load"
    return 1
  fi
  sums_mend "$CONFIRMED" || code=1
  boot_wait
  if macs_moved "$CONFIRMED"; then
    sums_remake "$CONFIRMED" || code=1
    nftables_apply "$CONFIRMED/files" || code=1
  fi
  for service in $SERVICES; do
    [ "$service" != nftables ] || continue
    WHY=
    "${service}_apply" "$CONFIRMED/files" && continue
    say_why "$service: "
    code=1
    [ "$service" = guard ] || continue
    say "nothing is forwarded or served without it"
    true >"$RUN/closed"
    break
  done
  [ "$code" = 0 ] || true >"$RUN/unsettled"
  return "$code"
}

# down: the host goes down. Nothing is forwarded any more, before others flush what they have and the last processes end, the guard's too.
down() {
  [ -s "$ETC/live/files/guard" ] && [ "$(systemctl is-system-running)" = stopping ] || return 0
  sysctl_put net/ipv6/conf/all/forwarding 0
  sysctl_put net/ipv4/ip_forward 0
}

recover_boot() {
  packages_recover
  rm -f "$RUN/pending"
  [ "$LIVE" = "$CONFIRMED" ] || { echo "${LIVE##*/}" >>"$RUN/undone" && point live "${CONFIRMED##*/}"; }
  LIVE=$CONFIRMED
  sweep
}

# Some links come late.
boot_wait() {
  local waits=0 dev late
  while [ $waits -lt 50 ]; do
    late=
    # A VLAN of ours comes with its trunk.
    awk '/^vlan / { made[$2] = 1; if (!said[$3]++) print $3 } /^interface / && !($2 in made) { print $2 }' "$CONFIRMED/files/network" >"$RUN/links"
    while read -r dev; do
      case $dev in no????????????) macs_moved "$CONFIRMED" || late=$dev ;; *) [ -e "$LINKS/$dev" ] || late=$dev ;; esac
    done <"$RUN/links"
    [ -n "$late" ] || return 0
    waits=$((waits + 1))
    sleep 0.2
  done
  say "interface $late is not there"
}

# uninstall ID [MADE]: the host as it was found, when nothing but the Router itself (ID) is on it. Where that was made anew since MADE,
# nothing is done; where another Router has taken its place, neither, and that is said.
uninstall() {
  local other others service
  trap '' HUP PIPE INT TERM
  require || {
    # Nothing has come of it: the program is all there is.
    [ -e "$ETC" ] || rm -rf "${PROGRAM%/*}"
    answer unusable
    return
  }
  lock "$LOCK_WAIT" || { busy; return; }
  held_by "the destroy of $1"
  ! later || return
  if [ -e "$ETC/confirmed" ]; then
    TOUCHED=yes
    recover || { answer failed; return; }
    TOUCHED=no
    if [ -n "${2:-}" ] && made_anew "$CONFIRMED/fragments" "$1" "$2"; then
      answer ok "${CONFIRMED##*/}" nothing
      return
    fi
    others=$(cd "$CONFIRMED/fragments" && find . -mindepth 2 -type f -printf '%f\n' | sort -u | grep -vxF -e "$1")
    case "$NEWLINE$others" in
      *"${NEWLINE}@ROUTER_ID@"*)
        answer ok "${CONFIRMED##*/}" former
        return
        ;;
    esac
    [ -z "$others" ] || {
      WHY=$(printf '%s\n' "$others" | while read -r other; do
        stack_of "$CONFIRMED/fragments" "$other"
        echo "$other, of ${STACK:+stack }${STACK:-a stack that is not known}"
      done)
      answer occupied
      return
    }
  fi
  TOUCHED=yes
  mkdir -p "$VAR"
  for service in $BACKWARDS; do
    "${service}_remove" || { CULPRIT=$service; answer failed; return; }
  done
  units_remove
  packages_purge || { CULPRIT=packages; answer failed; return; }
  rm -rf "${ETC:?}" "${VAR:?}" "${RUN:?}" "${PROGRAM%/*}" || { answer failed; return; }
  answer ok 0 same
}
