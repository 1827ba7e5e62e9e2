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
  generation confirmed || return 1
  CONFIRMED=$GENERATIONS/$NUMBER
  [ -e "$ETC/live" ] || point live "$NUMBER" || return 1
  generation live || return 1
  LIVE=$GENERATIONS/$NUMBER
}

# generation NAME: NUMBER = its number. (`cd -P` is no fork, readlink is.)
generation() {
  local here="$PWD"
  cd -P "$ETC/$1" || return 1
  NUMBER=${PWD##*/}
  cd "$here" 2>/dev/null || cd /
}

# generation_is_ours GENERATION: was it made by this very program?
generation_is_ours() {
  local by='' rest
  [ ! -r "$1/program" ] || read -r by rest <"$1/program"
  [ "$by" = "$PROGRAM_HASH" ]
}

# later: is what is on this router made by a vpc6 that may have put there what this one does not know? 0 when it is, and that is answered.
later() {
  local by made name
  for name in confirmed live; do
    by='' made=''
    [ ! -r "$ETC/$name/program" ] || read -r by made <"$ETC/$name/program"
    case $made in '' | *[!0-9]* | ????????*) continue ;; esac
    [ "$made" -gt "$FORMAT" ] || continue
    WHY="what is on it has format $made, this vpc6 knows $FORMAT"
    answer later
    return 0
  done
  return 1
}

# point NAME N
point() {
  ln -sfn "generations/$2" "$ETC/.$1" && mv -T "$ETC/.$1" "$ETC/$1"
}

# recover: what a run that died has left is put back before anything else. Needs the lock.
recover() {
  packages_recover
  generations 2>"$RUN/stage.err" || refuse "the configuration below $GENERATIONS cannot be read or written (is the disk full?)
$(head -n 3 "$RUN/stage.err")" || return
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
  local from="$LIVE" failed='' service
  if [ -s "$RUN/put-back" ]; then read -r from <"$RUN/put-back"; else echo "$LIVE" >"$RUN/put-back"; fi
  echo "${from##*/}" >>"$RUN/undone"
  point live "${CONFIRMED##*/}" || return 1
  sums_mend "$CONFIRMED"
  differences "$CONFIRMED/files" "$from/files"
  for service in $BACKWARDS; do
    ! differs "$service" || put_back_service "$service" || failed="$failed$NEWLINE$service: $WHY"
  done
  for service in $SERVICES; do
    ! again "$service" || put_back_service "$service" || failed="$failed$NEWLINE$service: $WHY"
  done
  LIVE=$CONFIRMED
  rm -f "$RUN/put-back"
  [ -n "$failed" ] || return 0
  true >"$RUN/unsettled"
  refuse "not everything could be put back:$failed"
}

put_back_service() {
  WHY=
  "${1}_apply" "$CONFIRMED/files" && "${1}_health" "$CONFIRMED/files"
}

# again SERVICE: is it to be applied because of what another did? On record until it is.
again() {
  [ -e "$RUN/$1.again" ]
}

again_any() {
  local service
  for service in $SERVICES; do ! again "$service" || return 0; done
  return 1
}

# sweep: keeps the generations in use and the one before. What one that was killed had in RUN holds secrets.
sweep() {
  local dir keep look payload pid
  [ ! -e "$GENERATIONS/new" ] || rm -rf "$GENERATIONS/new"
  [ ! -e "$RUN/drift" ] || rm -rf "$RUN/drift"
  for payload in "$RUN"/payload.*; do
    pid=${payload#"$RUN/payload."}
    [ -d "$PROC/${pid%%.*}" ] || [ ! -e "$payload" ] || rm -f "$payload"
  done
  for look in "$RUN"/look.*; do
    [ -d "$PROC/${look#"$RUN/look."}" ] || [ ! -e "$look" ] || rm -rf "$look"
  done
  keep=-1
  for dir in "$GENERATIONS"/*; do
    case $dir in "$CONFIRMED" | "$LIVE") continue ;; esac
    case ${dir##*/} in *[!0-9]*) continue ;; esac
    [ "${dir##*/}" -le "$keep" ] || keep=${dir##*/}
  done
  for dir in "$GENERATIONS"/*; do
    case $dir in "$CONFIRMED" | "$LIVE" | "$GENERATIONS/$keep") continue ;; esac
    rm -rf "$dir"
  done
}

# settle N: generation N is now the one to come back to. On disk before anybody is told; 1 with WHY when it does not get there.
settle() {
  sync -f "$GENERATIONS" 2>/dev/null
  point confirmed "$1" 2>"$RUN/stage.err" || refuse "$ETC cannot be written (is the disk full?)
$(head -n 3 "$RUN/stage.err")" || return
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
    answer outdated "$PROGRAM_HASH" "$FORMAT"
    return
  }
  # From here to the end whoever asked may be gone: this finishes, or puts back.
  trap '' HUP PIPE INT TERM
  require && release_suits || { answer unusable; return; }
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
  ! later || return
  recover || { answer failed; return; }
  stage || { rm -rf "$GENERATIONS/new"; return 1; }
}

# ended: a shell that breaks off (dash does, when it cannot open a file) says at least that.
ended() {
  rm -f "$PAYLOAD" "$PAYLOAD".*
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
  FORMER='' VERDICT=refused
  strangers "$PAYLOAD" "$CONFIRMED/fragments" || { answer refused; return; }
  replaced "$PAYLOAD" "$CONFIRMED/fragments"
  NEXT=$GENERATIONS/new
  {
    mkdir "$NEXT" && cp -al "$CONFIRMED/fragments" "$NEXT/fragments" && stage_payload "$PAYLOAD" "$NEXT/fragments" &&
      rivals_kept "$PAYLOAD.ids"
  } 2>"$RUN/stage.err" || {
    WHY="the new configuration could not be stored below $GENERATIONS (is the disk full?)
$(head -n 3 "$RUN/stage.err")"
    answer full
    return
  }
  if [ -n "$FORMER" ]; then
    echo "$FORMER" >"$RUN/yields"
    rivals_back || { answer "$VERDICT"; return; }
  fi
  if [ -n "$REPAIR" ]; then
    drifts "$CONFIRMED" || { answer failed; return; }
  fi
  sums "$NEXT" "$CONFIRMED" "$PAYLOAD.ids" && sums_write "$NEXT/sums" 2>"$RUN/stage.err" || { answer full; return; }
  if [ -n "$REPAIR" ]; then
    # What nobody has put there.
    awk '$1 == "stranger" { print $2 "/" $3 }' "$RUN/sums.wrong" | (cd "$NEXT/fragments" && exec xargs rm -f --)
  fi
  # RUN/unsettled: the host is not known to be what the confirmed generation says, so everything is applied.
  if [ ! -e "$RUN/unsettled" ] && ! again_any && generation_is_ours "$CONFIRMED" &&
    { [ -z "$REPAIR" ] || [ ! -s "$RUN/drifts" ]; } && cmp -s "$CONFIRMED/sums" "$NEXT/sums" &&
    [ "$(cat "$CONFIRMED/yields" 2>/dev/null)" = "$(cat "$NEXT/yields" 2>/dev/null)" ] && diff -rq "$CONFIRMED/fragments" "$NEXT/fragments" >/dev/null; then
    rm -rf "$NEXT"
    answer ok "${CONFIRMED##*/}" nothing
    return
  fi
  until judge; do
    sums_set_aside || rivals_yield || { answer "$VERDICT"; return; }
  done
  sums_tell
  rivals_tell
  echo "$PROGRAM_HASH $FORMAT" >"$NEXT/program" || { answer full; return; }
  units || { answer refused; return; }
  commit
}

# judge: NEXT's files, and what every daemon they concern says of them. CHANGED = those to be applied; 1 with WHY, BLAME and CULPRIT.
judge() {
  local service
  CHANGED='' CULPRIT='' BLAME='' WHY=''
  true >"$RUN/rivals"
  assemble "$NEXT" '' "$CONFIRMED/files" || return
  packages_install "$NEXT/files/packages" || { CULPRIT=packages; return 1; }
  differences "$CONFIRMED/files" "$NEXT/files"
  for service in $SERVICES; do
    [ -e "$RUN/unsettled" ] || drifted "$service" || differs "$service" || again "$service" || continue
    "${service}_check" "$NEXT/files" || { CULPRIT=$service; TOUCHED=no; return 1; }
    CHANGED="$CHANGED${CHANGED:+ }$service"
  done
}

# commit: from confirmed to NEXT, or back.
commit() {
  local dir n service
  # Never a number that was put back: whoever confirms that one late must not confirm another's.
  n=0
  for dir in "$GENERATIONS"/*; do
    case ${dir##*/} in *[!0-9]*) continue ;; esac
    [ "${dir##*/}" -le "$n" ] || n=${dir##*/}
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
  if has_any "$CHANGED" network nftables guard sysctl; then network_route_to "$CLIENT"; fi
  ROUTE_BEFORE=$ROUTE
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
  local why="$WHY"
  if put_back; then
    TOUCHED=no
    WHY=$why
  else
    WHY="$why
$WHY"
  fi
  disarm
  sweep
  answer failed
}

# could_cut: might the operator not get in any more? Only a fresh connection can tell.
could_cut() {
  local dev
  has_any "$CHANGED" network nftables guard sysctl || return 1
  [ -n "$CLIENT" ] || return 0
  # A filter does not move a route.
  if has_any "$CHANGED" network sysctl; then network_route_to "$CLIENT"; fi
  [ -n "$ROUTE" ] && [ "$ROUTE" = "$ROUTE_BEFORE" ] || return 0
  dev=${ROUTE#*dev }
  dev=${dev%% *}
  network_has "$dev" "$CONFIRMED/files/network" "$NEXT/files/network"
}
