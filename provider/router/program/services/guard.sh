# guard: a table of its own, `@GUARD@`, that drops what the filter has not seen. It belongs to the process that loaded it: nobody else can
# change it, and a flush of the whole ruleset leaves it out. It goes with that process, which systemd starts again.
# shellcheck disable=SC2015 # A && B || C: C is for when either fails

guard_slots="@GUARD_SLOTS@"
guard_daemons="vpc6-guard vpc6-watch"

# What a tier says stands by itself, too.
guard_head='table @GUARD@ {\nflags owner; set guarded { type ifname; }; set trunks { type ifname; }; set bfd_neighbors { type ipv6_addr; }; }'
guard_assemble() { :; }

guard_check() {
  [ -s "$1/guard" ] || return 0
  command -v nft >/dev/null || refuse "nft is not installed (the Router's packages should name nftables)" || return
  # Elsewhere, as nobody but its process may even try to change the one that is there.
  check_with "$1/guard" '^guard:\([0-9][0-9]*\):.*' unshare -n nft -c -f
}

guard_apply() {
  if [ ! -s "$1/guard" ]; then
    guard_remove
    return
  fi
  if ! cmp -s "$1/guard" "$RUN/guard" || ! guard_there; then
    # Also at boot it is waited for: without it nothing is served.
    systemctl restart vpc6-guard >"$RUN/unit.out" 2>&1 || refuse "$(unit_said vpc6-guard)" || return
  fi
  systemctl --quiet is-active vpc6-watch || systemctl start --no-block vpc6-watch
}

guard_there() {
  nftables_there '@GUARD@'
}

guard_health() {
  [ ! -s "$1/guard" ] || guard_there || refuse "the table @GUARD@ is not there: $(unit_said vpc6-guard)"
}

guard_lost() {
  [ ! -s "$1/guard" ] || guard_there || echo "table @GUARD@"
}

guard_remove() {
  # Whoever heals goes first.
  unit_stop vpc6-watch vpc6-guard
  rm -f "$RUN/guard"
}

# Both in nft's own words, as it is with the filter; the table ends with the nft that made it.
guard_drift() {
  local wanted=inactive
  [ ! -s "$1/guard" ] || wanted=active
  drift_daemon vpc6-guard $wanted
  drift_daemon vpc6-watch $wanted
  nft -s list table @GUARD@ >"$RUN/guard.now" 2>/dev/null || true >"$RUN/guard.now"
  true >"$RUN/guard.want"
  if [ -s "$1/guard" ]; then
    nftables_made "$1/guard" 'list table @GUARD@' >"$RUN/guard.want" 2>&1
    if [ ! -s "$RUN/guard.now" ]; then
      echo "- table @GUARD@ removed"
      return
    fi
  fi
  nftables_differences guard "$1/guard"
}

# guard: the process that the table belongs to. It waits for more commands, which never come: it holds both ends of its own pipe.
# (A history of them is kept in HOME.)
guard() {
  run_dir && cp "$ETC/live/files/guard" "$RUN/guard.new" && mv "$RUN/guard.new" "$RUN/guard" || return 1
  # Another hand's of that name, which is nobody's.
  nft delete table @GUARD@ 2>/dev/null
  rm -f "$RUN/guard.in"
  mkfifo -m 600 "$RUN/guard.in" && exec 3<>"$RUN/guard.in" && rm -f "$RUN/guard.in" || return 1
  nftables_commands "$RUN/guard" '' >&3
  export HOME=/dev/null
  exec nft -i <&3 >/dev/null 3>&-
}

# guard_wait: until the table is there; how long, systemd says.
guard_wait() {
  until guard_there; do sleep 0.05; done
}

guard_unit() {
  echo "# by vpc6
[Unit]
Description=vpc6: drops what the packet filter has not seen
DefaultDependencies=no
# The packet filter first: it makes a file anew that is not as it was made.
After=local-fs.target vpc6-firewall.service
Before=network-pre.target
# When the host goes down it stays to the end: others flush what they have while there is still a network.
IgnoreOnIsolate=yes
ConditionFileNotEmpty=$ETC/live/files/guard
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=$PROGRAM guard
ExecStartPost=$PROGRAM guard wait
Restart=always
TimeoutStartSec=10
OOMScoreAdjust=-1000"
}
