# Generations: what is confirmed (a reboot and a rollback come back to it), what is live (daemons read it), and the way from
# one to the next. Both names are symbolic links, switched by rename.
# shellcheck disable=SC2015 # A && B || C: C is for when either fails

# generations: sets CONFIRMED and LIVE (directories); makes an empty generation 0 the first time.
generations() {
  { [ -d "$VAR" ] && [ -d "$GENERATIONS" ]; } || mkdir -p "$VAR" "$GENERATIONS" || return 1
  chmod 700 "$ETC" || return 1
  if [ ! -e "$ETC/confirmed" ]; then
    mkdir -p "$GENERATIONS/0/fragments" && assemble "$GENERATIONS/0" && point confirmed 0 || return 1
  fi
  [ -e "$ETC/live" ] || point live "$(generation confirmed)" || return 1
  CONFIRMED=$GENERATIONS/$(generation confirmed)
  LIVE=$GENERATIONS/$(generation live)
}

# generation NAME: its number. (`cd -P` is no fork more, readlink is.)
generation() {
  (cd -P "$ETC/$1" && echo "${PWD##*/}")
}

# generation_is_ours GENERATION: was it made by this very program?
generation_is_ours() {
  generation_by=
  [ ! -r "$1/program" ] || read -r generation_by <"$1/program"
  [ "$generation_by" = "$PROGRAM_HASH" ]
}

# point NAME N
point() {
  ln -sfn "generations/$2" "$ETC/.$1" && mv -T "$ETC/.$1" "$ETC/$1"
}

# recover: what a run that died has left is put back before anything else. Needs the lock.
recover() {
  packages_recover
  generations 2>"$RUN/stage.err" || {
    WHY="the configuration below $GENERATIONS cannot be read or written (is the disk full?)
$(head -n 3 "$RUN/stage.err")"
    return 1
  }
  pending
  if [ "$LIVE" != "$CONFIRMED" ] || [ -e "$RUN/put-back" ]; then
    say "putting back generation ${CONFIRMED##*/}: an earlier run did not finish"
    TOUCHED=yes
    put_back || return 1
    TOUCHED=no
  fi
  disarm
  sweep
}

# put_back: confirmed is applied again, daemons first and the filter last. 1 with WHY when even that fails. Killed on the way, it
# is done again by the next one who comes: RUN/put-back says from what, as `live` is right by then.
put_back() {
  put_back_from=$LIVE
  if [ -s "$RUN/put-back" ]; then read -r put_back_from <"$RUN/put-back"; else echo "$LIVE" >"$RUN/put-back"; fi
  echo "${put_back_from##*/}" >>"$RUN/undone"
  point live "${CONFIRMED##*/}" || return 1
  put_back_code=0
  put_back_why=
  differences "$CONFIRMED" "$put_back_from"
  for service in $BACKWARDS; do
    ! differs "$service" || put_back_service "$service"
  done
  for service in $SERVICES; do
    ! again "$service" || put_back_service "$service"
  done
  LIVE=$CONFIRMED
  rm -f "$RUN/put-back"
  [ "$put_back_code" = 0 ] || true >"$RUN/unsettled"
  [ "$put_back_code" = 0 ] || WHY="not everything could be put back:$put_back_why"
  return "$put_back_code"
}

put_back_service() {
  WHY=
  "${1}_apply" "$CONFIRMED/files" && "${1}_health" "$CONFIRMED/files" || {
    put_back_code=1
    put_back_why="$put_back_why
$1: $WHY"
  }
}

# again SERVICE: is it to be applied because of what another did? On record until it is.
again() {
  [ -e "$RUN/$1.again" ]
}

again_any() {
  for again_service in $SERVICES; do ! again "$again_service" || return 0; done
  return 1
}

# sweep: keeps the generations in use and the one before. What one that was killed had in RUN holds secrets.
sweep() {
  [ ! -e "$GENERATIONS/new" ] || rm -rf "$GENERATIONS/new"
  [ ! -e "$RUN/drift" ] || rm -rf "$RUN/drift"
  for sweep_payload in "$RUN"/payload.*; do
    sweep_pid=${sweep_payload#"$RUN/payload."}
    [ -d "/proc/${sweep_pid%.err}" ] || [ ! -e "$sweep_payload" ] || rm -f "$sweep_payload"
  done
  sweep_keep=-1
  for sweep_dir in "$GENERATIONS"/*; do
    case $sweep_dir in "$CONFIRMED" | "$LIVE") continue ;; esac
    case ${sweep_dir##*/} in *[!0-9]*) continue ;; esac
    [ "${sweep_dir##*/}" -le "$sweep_keep" ] || sweep_keep=${sweep_dir##*/}
  done
  for sweep_dir in "$GENERATIONS"/*; do
    case $sweep_dir in "$CONFIRMED" | "$LIVE" | "$GENERATIONS/$sweep_keep") continue ;; esac
    rm -rf "$sweep_dir"
  done
}

# settle N: generation N is now the one to come back to. On disk before anybody is told; 1 with WHY when it does not get there.
settle() {
  sync -f "$GENERATIONS" 2>/dev/null
  point confirmed "$1" 2>"$RUN/stage.err" || {
    WHY="$ETC cannot be written (is the disk full?)
$(head -n 3 "$RUN/stage.err")"
    return 1
  }
  sync "$ETC" 2>/dev/null
  CONFIRMED=$GENERATIONS/$1
  [ ! -e "$RUN/unsettled" ] && [ ! -e "$RUN/closed" ] || rm -f "$RUN/unsettled" "$RUN/closed"
  disarm
  sweep
}

# converge HASH CLIENT: one transaction, payload on stdin.
converge() {
  [ "$1" = "$PROGRAM_HASH" ] || {
    cat >/dev/null
    answer outdated "$PROGRAM_HASH"
    return
  }
  # From here to the end whoever asked may be gone: this finishes, or puts back.
  trap '' HUP PIPE INT TERM
  require || { answer unusable; return; }
  run_dir && PAYLOAD=$RUN/payload.$$
  trap ended EXIT
  read_payload "$PAYLOAD" || { answer incomplete; return; }
  [ -z "$REPAIR" ] || program_intact || { answer outdated changed; return; }
  lock "$LOCK_WAIT" || { busy; return; }
  # Taken away while it waited, and the program too: by the destroy of another stack.
  [ -r "$PAYLOAD" ] || { answer outdated removed; return; }
  if [ "$PENDING" = waiting ] && [ "$NOW" -lt "$PENDING_UNTIL" ]; then
    # Sent again, as the first answer was lost.
    answer unconfirmed "$PENDING_N" $((PENDING_UNTIL - NOW))
    return
  fi
  held_by "$PAYLOAD_HOLDER"
  recover || { answer failed; return; }
  stage || { rm -rf "$GENERATIONS/new"; return 1; }
}

# ended: a shell that breaks off (dash does, when it cannot open a file) says at least that.
ended() {
  rm -f "$PAYLOAD" "$PAYLOAD.err"
  [ -z "$ANSWERED" ] || return
  WHY="the program broke off: ${WHY:-is a disk full?}"
  answer failed
}

busy() {
  holder
  WHY="$HOLDER is at work on this router, or waits for its confirmation, since more than $LOCK_WAIT seconds"
  answer busy
}

# stage: the next generation, beside the others, and the judgement of every daemon it concerns.
stage() {
  strangers "$PAYLOAD" "$CONFIRMED/fragments" || { answer refused; return; }
  NEXT=$GENERATIONS/new
  {
    mkdir "$NEXT" && cp -al "$CONFIRMED/fragments" "$NEXT/fragments" && stage_payload "$PAYLOAD" "$NEXT/fragments"
  } 2>"$RUN/stage.err" || {
    WHY="the new configuration could not be stored below $GENERATIONS (is the disk full?)
$(head -n 3 "$RUN/stage.err")"
    answer full
    return
  }
  if [ -n "$REPAIR" ]; then
    drifts "$CONFIRMED" || { answer failed; return; }
  fi
  # RUN/unsettled: the host is not known to be what the confirmed generation says, so everything is applied.
  if [ ! -e "$RUN/unsettled" ] && ! again_any && generation_is_ours "$CONFIRMED" &&
    { [ -z "$REPAIR" ] || [ ! -s "$RUN/drifts" ]; } && diff -rq "$CONFIRMED/fragments" "$NEXT/fragments" >/dev/null; then
    rm -rf "$NEXT"
    answer ok "$(generation confirmed)" nothing
    return
  fi
  assemble "$NEXT" && echo "$PROGRAM_HASH" >"$NEXT/program" || { answer refused; return; }
  packages_install "$NEXT/files/packages" || { CULPRIT=packages; answer refused; return; }
  differences "$CONFIRMED" "$NEXT"
  for service in $SERVICES; do
    [ -e "$RUN/unsettled" ] || drifted "$service" || differs "$service" || again "$service" || continue
    "${service}_check" "$NEXT/files" || { CULPRIT=$service; TOUCHED=no; answer refused; return; }
    CHANGED="$CHANGED${CHANGED:+ }$service"
  done
  units || { answer refused; return; }
  commit
}

# commit: from confirmed to NEXT, or back.
commit() {
  # Never a number that was put back: whoever confirms that one late must not confirm another's.
  n=0
  for commit_dir in "$GENERATIONS"/*; do
    case ${commit_dir##*/} in *[!0-9]*) continue ;; esac
    [ "${commit_dir##*/}" -le "$n" ] || n=${commit_dir##*/}
  done
  n=$((n + 1))
  [ ! -e "$GENERATIONS/$n" ] || rm -rf "${GENERATIONS:?}/$n"
  mv -T "$NEXT" "$GENERATIONS/$n" || { answer full; return; }
  NEXT=$GENERATIONS/$n
  if [ -z "$CHANGED" ]; then
    # Only who says it has changed, or packages: nothing to apply, nothing to confirm.
    point live "$n" && LIVE=$NEXT && settle "$n" || { fail_back; return; }
    answer ok "$n" same
    return
  fi
  ROUTE=
  if has_any "$CHANGED" network nftables sysctl; then network_route_to "$CLIENT"; fi
  route_before=$ROUTE
  TOUCHED=yes
  arm applying "$n" && point live "$n" || {
    fail_back
    return
  }
  LIVE=$NEXT
  for service in $SERVICES; do
    has_any "$CHANGED" "$service" || { again "$service" && CHANGED="$CHANGED $service"; } || continue
    WHY='' BLAME=''
    "${service}_apply" "$NEXT/files" && "${service}_health" "$NEXT/files" || {
      CULPRIT=$service
      fail_back
      return
    }
  done
  if could_cut; then
    sync -f "$GENERATIONS" 2>/dev/null
    arm waiting "$n" || { fail_back; return; }
    answer unconfirmed "$n" "$CONFIRM_WAIT"
  else
    settle "$n" || { fail_back; return; }
    answer ok "$n" same
  fi
}

# fail_back: the change failed for WHY. TOUCHED stays yes only when it could not be undone.
fail_back() {
  fail_why=$WHY
  if put_back; then
    TOUCHED=no
    WHY=$fail_why
  else
    WHY="$fail_why
$WHY"
  fi
  disarm
  sweep
  answer failed
}

# could_cut: might the operator not get in any more? Only a fresh connection can tell.
could_cut() {
  has_any "$CHANGED" network nftables sysctl || return 1
  [ -n "$CLIENT" ] || return 0
  # A filter does not move a route.
  if has_any "$CHANGED" network sysctl; then network_route_to "$CLIENT"; fi
  [ -n "$ROUTE" ] && [ "$ROUTE" = "$route_before" ] || return 0
  client_dev=${ROUTE#*dev }
  client_dev=${client_dev%% *}
  network_has "$CONFIRMED/files/network" "$client_dev" || network_has "$NEXT/files/network" "$client_dev"
}
