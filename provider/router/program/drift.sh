# Drift: what is confirmed, compared with what is there now in files, kernel and daemons. The fragments are what is trusted (the
# provider knows their hashes); all else is computed from them anew. Nothing is changed but records in RUN.
# shellcheck disable=SC2015 # A && B || C: C is for when either fails

# observe: every fragment, then what differs, on one connection.
observe() {
  local waits
  run_dir || { answer unusable; return; }
  # At boot nothing is there before vpc6.service has run.
  waits=0
  while [ $waits -lt 200 ] && [ "$(systemctl show -P Job vpc6.service)" -gt 0 ] 2>/dev/null; do
    waits=$((waits + 1))
    [ $((waits % 25)) != 0 ] || say "waiting for vpc6.service: the router has just started"
    sleep 0.2
  done
  lock "$LOCK_WAIT" || { busy; return; }
  held_by "a refresh"
  ! later || return
  show_fragments "$ETC/confirmed/fragments"
  echo "@DRIFT@"
  if [ -e "$ETC/confirmed" ]; then
    CONFIRMED=$GENERATIONS/$(generation confirmed)
    drifts "$CONFIRMED" || { answer failed; return; }
    sed 's/^/drift /' "$RUN/drifts" "$RUN/drifts.fragments"
  fi
  echo "@DRIFT_END@"
}

# drifts GENERATION: RUN/drifts = a line `ID SERVICE|TEXT` for each difference; the id is the Router's where a difference is
# nobody else's. RUN/drifts.fragments: the same of the fragments themselves, with the slot for SERVICE. Bounded: a flushed table is not worth a megabyte.
drifts() {
  local dir="$RUN/drift" files its_slots router service slot
  router=$(find "$1/fragments" -mindepth 2 -name '@ROUTER_ID@*' -printf '%f\n' | head -n 1)
  rm -rf "$dir" && mkdir "$dir" && ln -s "$1/fragments" "$dir/fragments" && sums "$1" "$1" && sums_drift "$router" >"$RUN/drifts.fragments" &&
    assemble "$dir" boot "$1/files" || {
    : "${WHY:=what should be there cannot be computed (is /run full?)}"
    return 1
  }
  files=$dir/files
  # Of what holds a secret no line is shown, also not when the secret itself is gone.
  DRIFT_SECRET=$({ cut -d' ' -f2 "$RUN/sums.wrong"; cd "$1/fragments" && grep -rlE '@PLACEHOLDERS@' . | cut -d/ -f2; } | sort -u)
  {
    echo "=packages"
    packages_drift "$files/packages"
    echo "=program"
    [ "$(generation live)" = "${1##*/}" ] || echo "- generation $(generation live) is applied and was never confirmed"
    program_intact || echo "- $PROGRAM changed"
    drift_records "$1"
    units_drift
    for service in $SERVICES; do
      echo "=$service"
      eval "its_slots=\$${service}_slots"
      DRIFT_CHANGED=
      for slot in $its_slots; do
        cmp -s "$files/$slot" "$1/files/$slot" && continue
        DRIFT_CHANGED=yes
        drift_text "$files/$slot" "$1/files/$slot" "$ETC/live/files/$slot" "$slot"
      done
      ! command -v "${service}_drift" >/dev/null || "${service}_drift" "$files"
    done
  } | conceal | awk -v router="${router:-router}" '
    /^=/ { service = substr($0, 2); next }
    count[service]++ >= 200 { next }
    { id = $1; sub(/^[^ ]+ /, ""); print (id == "-" ? router : id) " " service "|" substr($0, 1, 300) }
  ' >"$RUN/drifts"
  # It holds secrets.
  rm -rf "$dir"
}

# drift_records GENERATION: what a generation says of itself. (What MAC addresses were is not known of fragments that are set aside.)
drift_records() {
  local by='' format='' name
  [ ! -r "$1/program" ] || read -r by format <"$1/program"
  case $by/$format in [0-9a-f]*/[0-9]*) ;; *) echo "- $ETC/confirmed/program changed" ;; esac
  [ ! -s "$RUN/aside" ] || return 0
  for name in macs files.sums; do
    cmp -s "$RUN/drift/$name" "$1/$name" || echo "- $ETC/confirmed/$name changed"
  done
}

# What a service's `drift` prints: lines `ID TEXT`, `-` for the id of the Router. Its assembled files are compared already, and
# `drift_changed` says whether one was changed.

# drift_text WANTED FOUND NAME [SLOT]: lines that differ, each with the fragment it is from.
drift_text() {
  [ -e "$2" ] || { echo "- $3 removed"; return; }
  # shellcheck disable=SC2086 # a list of names
  ! has "${4:-}" $DRIFT_SECRET || { echo "- $3 changed"; return; }
  diff "$1" "$2" | awk -v name="$3" -v wanted="$1" '
    BEGIN { while ((getline line <wanted) > 0) { if (line ~ /^# vpc6 /) { split(line, w, " "); id = w[3] } at[++n] = id } }
    /^[0-9]/ { split($0, part, /[acd,]/); line = part[1]; next }
    /^[<>] / { from = /^</ ? line++ : part[1]; print (from in at && at[from] != "" ? at[from] : "-"), "line " (/^</ ? "removed from " : "added to ") name ", " substr($0, 3) }
  '
}

# drift_file WANTED FOUND [SLOT]: a file of which each line is ours, made from SLOT.
drift_file() {
  cmp -s "$1" "$2" || drift_text "$1" "$2" "$2" "${3:-}"
}

# drift_daemon UNIT active|inactive [ID]: is it masked, up or down as it should be, and does the process run as its unit says?
drift_daemon() {
  local active job key load value waits
  # What is on its way (a boot, a start that is queued) arrives first.
  waits=0
  while [ $waits -lt 100 ]; do
    load='' active='' job=0
    systemctl show -p LoadState,ActiveState,Job "$1" >"$RUN/drift.unit"
    while IFS='=' read -r key value; do
      case $key in LoadState) load=$value ;; ActiveState) active=$value ;; Job) job=$value ;; esac
    done <"$RUN/drift.unit"
    case ${job:-0}/$active in 0/active | 0/inactive | 0/failed) break ;; esac
    waits=$((waits + 1))
    [ $((waits % 25)) != 0 ] || say "waiting for $1, which is $active"
    sleep 0.2
  done
  [ "$load" != masked ] || echo "${3:--} $1 is masked"
  case $2/$active in
    active/active | active/reloading | inactive/inactive | inactive/failed) ;;
    active/activating) echo "${3:--} $1 does not stay up" ;;
    active/*) echo "${3:--} $1 is stopped ($active)" ;;
    *) echo "${3:--} $1 runs, though nothing asks for it" ;;
  esac
}

# drift_command UNIT: does the process of a unit of ours have the arguments that the unit gives it? (A drop-in that is gone
# again may have started it.) Our units' arguments hold no quotes and no variables.
drift_command() {
  local pid runs says
  pid=$(systemctl show -P MainPID "$1")
  [ "${pid:-0}" != 0 ] || return 0
  # haproxy adds to its own when it reloads.
  runs=$(tr '\0' ' ' <"$PROC/$pid/cmdline" | sed -E 's/ -sf( [0-9]+)+//; s/ -x sockpair@[0-9]+//')
  says=$("$(echo "${1#vpc6-}" | tr - _)_unit" | awk '
    /^ExecStart=/ { sub(/^ExecStart=/, ""); on = 1 }
    on { more = sub(/[ \t]*\\$/, ""); $1 = $1; text = text $0 " "; if (!more) { print text; exit } }
  ')
  [ "$runs" = "$says " ] || [ "$runs" = "$says" ]
}

# The program itself: its hash is of the text before it stood in it.
program_intact() {
  [ "$(sed 's/^PROGRAM_HASH=.*/PROGRAM_HASH=@''HASH@/' "$PROGRAM" | sha256sum | cut -c 1-16)" = "$PROGRAM_HASH" ]
}

# drifted SERVICE: did `drifts` find anything there?
drifted() {
  [ -n "$REPAIR" ] && grep -q "^[^ ]* $1|" "$RUN/drifts"
}
