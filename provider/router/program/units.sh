# The units: the firewall before there is a network, the rest when the links are there, and one for each daemon that needs
# its own. Written again when the program changes.
# shellcheck disable=SC2015 # A && B || C: C is for when either fails

unit_firewall() {
  echo "# by vpc6
[Unit]
Description=vpc6: packet filter
DefaultDependencies=no
Wants=network-pre.target vpc6-guard.service
Before=network-pre.target shutdown.target
# Who may flush the ruleset comes first. Each of them is before network-pre.target as well: there is no cycle.
After=local-fs.target systemd-modules-load.service nftables.service netfilter-persistent.service ufw.service firewalld.service
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=$PROGRAM boot firewall
ExecStop=$PROGRAM down

[Install]
WantedBy=multi-user.target"
}

unit_main() {
  echo "# by vpc6
[Unit]
Description=vpc6: last confirmed configuration
Wants=vpc6-firewall.service vpc6-watch.service
After=vpc6-firewall.service vpc6-guard.service network.target systemd-networkd.service networking.service NetworkManager.service
Before=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=$PROGRAM boot

[Install]
WantedBy=multi-user.target"
}

# units: writes what differs; one daemon-reload when anything did.
units() {
  ! units_known || return 0
  units_written || return 1
  differences "$RUN/units" "$UNITS" more
  [ -z "$DIFFERENT" ] || units_place || refuse "$UNITS/${DIFFERENT%% *} cannot be written" || return
  [ -z "$REPAIR" ] || units_drop_ins_remove
  if [ -n "$DIFFERENT$REPAIR" ]; then
    # `enable` would have systemd read everything once more.
    WHY=$(systemctl --quiet --no-reload enable vpc6-firewall.service vpc6.service 2>&1 && systemctl daemon-reload 2>&1) && WHY='' || return 1
    systemctl --no-block try-restart vpc6-watch >/dev/null 2>&1
  fi
  (cd "$RUN/units" && printf '%s\n' "$PROGRAM_HASH" *) >"$VAR/units"
}

# units_known: were they written by this very program, and is each there and untouched since? Their texts are the program's own.
units_known() {
  local stamp="$VAR/units" by unit_file
  [ -z "$REPAIR" ] && [ -r "$stamp" ] || return 1
  {
    read -r by
    [ "$by" = "$PROGRAM_HASH" ] || return 1
    while read -r unit_file; do
      [ -e "$UNITS/$unit_file" ] && ! [ "$UNITS/$unit_file" -nt "$stamp" ] || return 1
    done
  } <"$VAR/units"
}

# units_written: the text of each unit, in RUN/units.
units_written() {
  local dir="$RUN/units" service suffix
  [ ! -e "$dir" ] || rm -rf "$dir" || return 1
  mkdir "$dir" && unit_firewall >"$dir/vpc6-firewall.service" && unit_main >"$dir/vpc6.service" &&
    unit_leases >"$dir/vpc6-leases.service" && unit_watch >"$dir/vpc6-watch.service" && unit_password >"$dir/vpc6-password@.service" &&
    unit_password_socket '[%i]' >"$dir/vpc6-password@.socket" && unit_password_socket %i >"$dir/vpc6-password-ipv4@.socket" || return 1
  for service in $SERVICES; do
    command -v "${service}_unit" >/dev/null || continue
    eval "suffix=\${${service}_template:-}"
    "${service}_unit" >"$dir/vpc6-$service$suffix.service" || return 1
  done
}

# units_place: of those the DIFFERENT ones (or, where that is not known, all), each in one step.
units_place() {
  local dir="$UNITS/.vpc6"
  [ ! -e "$dir" ] || rm -rf "$dir" || return 1
  ! has_any "$DIFFERENT" all || DIFFERENT=$(cd "$RUN/units" && echo *)
  # shellcheck disable=SC2086 # a list of names
  mkdir "$dir" && (cd "$RUN/units" && exec cp -t "$dir" $DIFFERENT) && mv -t "$UNITS" "$dir"/* && rm -rf "$dir"
}

# units_drift: changed texts, drop-ins (they change what a unit of ours does), and whether the router comes back at boot.
units_drift() {
  local unit_file unit_in unit_name
  units_written || return
  differences "$RUN/units" "$UNITS" more
  for unit_file in "$RUN/units"/*; do
    unit_name=${unit_file##*/}
    ! has_any "$DIFFERENT" all "$unit_name" || drift_file "$unit_file" "$UNITS/$unit_name"
  done
  for unit_in in "$UNITS" "$UNITS_UNTIL_BOOT"; do
    for unit_file in "$unit_in"/vpc6.service.d/* "$unit_in"/vpc6-*.service.d/* "$unit_in"/vpc6-*.socket.d/*; do
      [ ! -e "$unit_file" ] || echo "- $unit_file added"
    done
  done
  for unit_name in vpc6-firewall vpc6; do
    [ -e "$UNITS/multi-user.target.wants/$unit_name.service" ] || echo "- $unit_name.service is disabled"
  done
}

units_drop_ins_remove() {
  rm -rf "$UNITS"/vpc6.service.d "$UNITS"/vpc6-*.service.d "$UNITS"/vpc6-*.socket.d \
    "$UNITS_UNTIL_BOOT"/vpc6.service.d "$UNITS_UNTIL_BOOT"/vpc6-*.service.d "$UNITS_UNTIL_BOOT"/vpc6-*.socket.d
}

# unit_restart NAME: at boot it may wait for its turn; else WHY is what it said when it did not start.
unit_restart() {
  if [ -n "${BOOTING:-}" ]; then
    systemctl restart --no-block "$1"
    return
  fi
  systemctl restart "$1" >"$RUN/unit.out" 2>&1 && return 0
  refuse "$(unit_said "$1")"
}

# unit_stop UNIT...: also one that crashed a moment ago and waits for its next start, or is queued for its first one: systemd calls neither
# active. One that something else killed while it stopped is not "failed" for ever.
# Its turn is now, whatever systemd would have stop before it: as the host goes down that is the login we run in (FRR ends with the network, and
# that after all sessions), and each would wait for the other for a minute and a half.
unit_stop() {
  local unit
  for unit; do
    [ "$(systemctl show --value -p ActiveState,Job "$unit")" != inactive ] || continue
    systemctl stop --job-mode=ignore-dependencies "$unit" >/dev/null 2>&1
    systemctl reset-failed "$unit" >/dev/null 2>&1
  done
}

# unit_said UNIT: what a service that failed said last. The journal notes the invocation of a process while it lives. Of one that has ended,
# as a daemon that fails soon has, it notes the unit and the process's number, or only that: a number is not used again within minutes.
unit_said() {
  local key pid='' unit_id='' value
  systemctl show -p InvocationID,ExecStart "$1" >"$RUN/unit.show"
  while IFS='=' read -r key value; do
    case $key in
      InvocationID) unit_id=$value ;;
      ExecStart) pid=${value##*; pid=} pid=${pid%% *} ;;
    esac
  done <"$RUN/unit.show"
  journal_of "$RUN/unit.out" -n 8 --since=-5min "_SYSTEMD_INVOCATION_ID=$unit_id" + "_PID=$pid"
}

# journal_of FILE ARGUMENT...: what the journal has. On a busy host that takes a moment. If it has nothing after two seconds: FILE.
journal_of() {
  local instead="$1" tries=0
  shift
  # Once: a journal that hangs does not answer later either.
  timeout 5 journalctl --sync >/dev/null 2>&1
  while [ $tries -lt 20 ]; do
    journalctl -q -b --no-pager -o cat "$@" 2>/dev/null | grep . && return
    tries=$((tries + 1))
    sleep 0.1
  done
  cat "$instead" 2>/dev/null
}

units_remove() {
  systemctl --quiet --no-reload disable vpc6-firewall.service vpc6.service >/dev/null 2>&1
  # Those that a later version left too. Without a stop they stay in systemd's lists, as "not-found".
  systemctl stop --job-mode=ignore-dependencies 'vpc6*' >/dev/null 2>&1
  units_drop_ins_remove
  rm -f "$VAR/units" "$UNITS"/vpc6.service "$UNITS"/vpc6-*.service "$UNITS"/vpc6-*.socket
  rm -rf "$UNITS/.vpc6" "$UNITS"/.vpc6*.vpc6
  systemctl daemon-reload
  systemctl reset-failed 'vpc6*' >/dev/null 2>&1
}
