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
    generation confirmed && CONFIRMED=$GENERATIONS/$NUMBER && drifts "$CONFIRMED" || { answer failed; return; }
    sed 's/^/drift /' "$RUN/drifts" "$RUN/drifts.fragments"
  fi
  echo "@DRIFT_END@"
}

# drifts GENERATION: RUN/drifts = a line `ID SERVICE|TEXT` for each difference; the id is the Router's where a difference is
# nobody else's. RUN/drifts.fragments: the same of the fragments themselves, with the slot for SERVICE. Bounded: a flushed table is not worth a megabyte.
drifts() {
  local changed dir="$RUN/drift" files its_slots service slot
  router_in "$1/fragments"
  [ ! -e "$dir" ] || rm -rf "$dir"
  mkdir "$dir" && ln -s "$1/fragments" "$1/yields" "$dir" && sums "$1" "$1" && sums_drift "$ROUTER" >"$RUN/drifts.fragments" &&
    assemble "$dir" boot "$1/files" || {
    : "${WHY:=what should be there cannot be computed (is /run full?)}"
    return 1
  }
  files=$dir/files
  # Of what holds a secret no line is shown, also not when the secret itself is gone.
  DRIFT_SECRET=
  while read -r slot; do DRIFT_SECRET="$DRIFT_SECRET $slot"; done <"$RUN/filled"
  while read -r _ slot _; do has_any "$DRIFT_SECRET" "$slot" || DRIFT_SECRET="$DRIFT_SECRET $slot"; done <"$RUN/sums.wrong"
  while read -r slot _; do has_any "$DRIFT_SECRET" "$slot" || DRIFT_SECRET="$DRIFT_SECRET $slot"; done <"$RUN/aside"
  {
    echo "=packages"
    packages_drift "$files/packages"
    echo "=program"
    generation live
    [ "$NUMBER" = "${1##*/}" ] || echo "- generation $NUMBER is applied and was never confirmed"
    program_intact || echo "- $PROGRAM changed"
    drift_records "$1"
    rivals_drift "$1"
    units_drift
    drift_daemons
    differences "$files" "$1/files"
    changed=$DIFFERENT
    for service in $SERVICES; do
      echo "=$service"
      eval "its_slots=\$${service}_slots"
      DRIFT_CHANGED=
      for slot in $its_slots; do
        has_any "$changed" all "$slot" && ! cmp -s "$files/$slot" "$1/files/$slot" || continue
        DRIFT_CHANGED=yes
        drift_text "$files/$slot" "$1/files/$slot" "$ETC/live/files/$slot" "$slot"
      done
      ! command -v "${service}_drift" >/dev/null || "${service}_drift" "$files"
    done
  } | conceal | awk -v router="$ROUTER" '
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
    [ -s "$1/$name" ] || [ -s "$RUN/drift/$name" ] || [ ! -e "$1/$name" ] || continue
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

DRIFT_UNITS=$NEWLINE

# drift_daemons: asks systemd once for all the units that services look at.
drift_daemons() {
  local names='' service
  for service in $SERVICES; do
    eval "names=\"\$names \${${service}_daemons:-}\""
  done
  DRIFT_UNITS=$NEWLINE
  set -f
  # shellcheck disable=SC2086 # a list of names
  set -- $names
  [ $# = 0 ] || drift_ask "$@"
  set +f
}

# drift_ask UNIT...: DRIFT_UNITS = a line `UNIT LOAD ACTIVE JOB PID RESTARTS SINCE` for each (a pattern is of those that systemd knows), and those that were there.
drift_ask() {
  local active='' id='' job='' key load='' pid='' restarts='' since='' value
  { systemctl show -p Id,LoadState,ActiveState,Job,MainPID,NRestarts,ActiveEnterTimestampMonotonic "$@"; echo; } >"$RUN/drift.units"
  while IFS='=' read -r key value; do
    case $key in
      Id) id=${value%.service} ;;
      LoadState) load=$value ;;
      ActiveState) active=$value ;;
      Job) job=$value ;;
      MainPID) pid=$value ;;
      NRestarts) restarts=$value ;;
      ActiveEnterTimestampMonotonic) since=$value ;;
      '')
        # One that has another name besides is known by that which was asked for.
        case $#/$1 in 1/*\**) ;; 1/*) id=$1 ;; esac
        [ -z "$load$active" ] || DRIFT_UNITS="$NEWLINE$id ${load:--} ${active:--} ${job:-0} ${pid:-0} ${restarts:-0} ${since:-0}$DRIFT_UNITS"
        active='' id='' job='' load='' pid='' restarts='' since=''
        ;;
    esac
  done <"$RUN/drift.units"
}

# drift_unit UNIT: UNIT_LOAD, UNIT_ACTIVE, UNIT_JOB, UNIT_PID, UNIT_RESTARTS, UNIT_SINCE (microseconds after the boot) = what systemd said of it last.
drift_unit() {
  local line=''
  case $DRIFT_UNITS in *"$NEWLINE$1 "*) ;; *) drift_ask "$1" ;; esac
  case $DRIFT_UNITS in *"$NEWLINE$1 "*) line=${DRIFT_UNITS#*"$NEWLINE$1 "} ;; esac
  # shellcheck disable=SC2086 # words, and those of a unit of which nothing is known
  set -- ${line%%"$NEWLINE"*} - - 0 0 0 0
  UNIT_LOAD=$1 UNIT_ACTIVE=$2 UNIT_JOB=$3 UNIT_PID=$4 UNIT_RESTARTS=$5 UNIT_SINCE=$6
}

# drift_falters UNIT: is it up only for a moment, and again and again? (UNIT_* is of it.)
drift_falters() {
  local before="$UNIT_RESTARTS"
  now
  [ "$before" -ge 3 ] && [ $((NOW - UNIT_SINCE / 1000000)) -lt 10 ] || return 1
  sleep 2
  drift_ask "$1"
  drift_unit "$1"
  [ "$UNIT_RESTARTS" -gt "$before" ]
}

# drift_daemon UNIT active|inactive [ID]: is it masked, up or down as it should be, and does the process run as its unit says?
drift_daemon() {
  local waits=0
  drift_unit "$1"
  # What is on its way (a boot, a start that is queued) arrives first.
  while [ $waits -lt 100 ]; do
    case $UNIT_JOB/$UNIT_ACTIVE in 0/active | 0/inactive | 0/failed) break ;; esac
    waits=$((waits + 1))
    [ $((waits % 25)) != 0 ] || say "waiting for $1, which is $UNIT_ACTIVE"
    sleep 0.2
    drift_ask "$1"
    drift_unit "$1"
  done
  [ "$UNIT_LOAD" != masked ] || echo "${3:--} $1 is masked"
  case $2/$UNIT_ACTIVE in active/active) ! drift_falters "$1" || UNIT_ACTIVE=activating ;; esac
  case $2/$UNIT_ACTIVE in
    active/active | active/reloading | inactive/inactive | inactive/failed) ;;
    active/activating) echo "${3:--} $1 does not stay up" ;;
    active/*) echo "${3:--} $1 is stopped ($UNIT_ACTIVE)" ;;
    *) echo "${3:--} $1 runs, though nothing asks for it" ;;
  esac
}

# drift_command NAME PID: does the process of a service's unit of ours have the arguments that the unit gives it? (A drop-in that is gone
# again may have started it.) Our units' arguments hold no quotes and no variables.
drift_command() {
  local runs says
  [ "$2" != 0 ] && [ -e "$PROC/$2/cmdline" ] || return 0
  # haproxy adds to its own when it reloads.
  runs=$(sed -E 's/\x00/ /g; s/ -sf( [0-9]+)+//; s/ -x sockpair@[0-9]+//' "$PROC/$2/cmdline")
  says=$("${1}_unit")
  says=${says#*"$NEWLINE"ExecStart=}
  says=${says%%"$NEWLINE"*}
  [ "$runs" = "$says " ] || [ "$runs" = "$says" ]
}

# The program itself: its hash is of the text before it stood in it.
program_intact() {
  case "$(sed 's/^PROGRAM_HASH=.*/PROGRAM_HASH=@''HASH@/' "$PROGRAM" | sha256sum)" in "$PROGRAM_HASH"*) return 0 ;; *) return 1 ;; esac
}

# drifted SERVICE: did `drifts` find anything there?
drifted() {
  [ -n "$REPAIR" ] && grep -q "^[^ ]* $1|" "$RUN/drifts"
}
