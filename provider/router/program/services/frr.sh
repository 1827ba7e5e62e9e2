# frr: BGP. Fragments are FRR's own statements; blocks of the same name add up. FRR runs while there is at least one, and takes
# differences only: sessions that a change does not concern stay up. An FRR that was on the host before us comes back with its own configuration
# when ours goes. One that somebody has configured is not touched but where the Router says `adopt`.
# shellcheck disable=SC2015 # A && B || C: C is for when either fails

# Is it known, from this very transaction, that FRR runs what it is to run?
FRR_RUNS=

# A changed prefix-list is applied to what comes from now on: this has the routes there are go through it again. No session ends.
FRR_AGAIN='clear bgp ipv6 unicast * soft'

FRR_CONF=$ROOT/etc/frr/frr.conf

# vtysh writes what it is asked into a file in the home folder of who asks; so does the one that frr.service calls.
FRR_DAEMON_LIST=$ROOT/etc/frr/daemons
FRR_HISTORY=$ROOT/root/.history_frr
# Of FRR 10 on mgmtd keeps the last configurations that it was told.
FRR_COMMITS=$ROOT/var/lib/frr
VTYSH_HISTFILE=$RUN/vtysh.history
export VTYSH_HISTFILE

frr_slots="@FRR_SLOTS@"
frr_needs='router '
frr_daemons=frr
frr_assemble() { :; }

# What two resources say about one neighbour must agree. FRR itself would let the last one win.
frr_check() {
  local wrong
  [ -s "$1/frr" ] || return 0
  grep -qsxF frr "$VAR/packages" || [ -d "$VAR/frr" ] || [ -s "$1/adopt" ] || frr_untouched || refuse "FRR is on this host already, configured by somebody: \
vpc6 would overwrite ${FRR_CONF%/*}. $(frr_way_out "$1")" || return
  # Each wants FRR, and a machine has one. (Their sessions would be with themselves.)
  if grep -q '^# vpc6 @UPLINK_ID@' "$1/frr" && grep -q '^# vpc6 @ROUTER_ID@' "$1/nftables"; then
    refuse "this host is a Router; an Uplink is another machine, the one that VPC routers speak BGP with" \
      "$(awk '/^# vpc6 @UPLINK_ID@/ { print $3; exit }' "$1/frr")"
    return
  fi
  wrong=$(awk -v rivals="$RUN/rivals" '@frr_check.awk@' "$1/frr")
  judged $? "$wrong" || return
  check_with "$1/frr" '^line \([0-9][0-9]*\):.*' vtysh -C -f && return 0
  WHY=$(printf '%s\n' "$WHY" | grep -v "^% Can't open")
  return 1
}

# Is the FRR that is here as its package brought it, and does it run nothing that somebody told it?
frr_untouched() {
  local file
  # shellcheck disable=SC2016 # dpkg-query's own field
  dpkg-query -W -f '${Conffiles}\n' frr 2>/dev/null |
    awk -v root="$ROOT" '$1 ~ /^\/etc\/frr\// && NF == 2 { print $2 "  " root $1 }' >"$RUN/frr.conffiles"
  [ -s "$RUN/frr.conffiles" ] && md5sum --status -c "$RUN/frr.conffiles" 2>/dev/null || return 1
  # A daemon's own file, beside the one for all.
  for file in "${FRR_CONF%/*}"/*.conf; do
    [ ! -e "$file" ] || grep -qF "  $file" "$RUN/frr.conffiles" || return 1
  done
  systemctl --quiet is-active frr || return 0
  frr_running && ! grep -qvE '^(Building configuration|Current configuration|!|frr (version|defaults) |hostname |log syslog informational$|no ip(v6)? forwarding$|service integrated-vtysh-config$|end$|$)' "$RUN/frr.running"
}

# frr_way_out FILES
frr_way_out() {
  if grep -q '^# vpc6 @UPLINK_ID@' "$1/frr"; then
    echo "An Uplink is for an FRR of its own, and takes over one that nobody has configured: remove the package frr (apt-get purge frr), or name another machine"
  else
    echo "Remove the package frr (apt-get purge frr), or $(adopt_how "$1"): its configuration then comes back when ours goes"
  fi
}

frr_apply() {
  if [ ! -s "$1/frr" ]; then
    frr_remove
    return
  fi
  FRR_RUNS=
  frr_found "$1/frr" || return 1
  if systemctl --quiet is-active frr && [ -e "$RUN/frr.applied" ]; then
    ! cmp -s "$1/frr" "$RUN/frr.applied" || return 0
    if [ -z "$FRR_DAEMONS$REPAIR" ] && frr_tell "$1/frr"; then frr_write "$1/frr" || return 1; else frr_reload "$1/frr" || return 1; fi
  else
    frr_write "$1/frr" && frr_start || return 1
  fi
  cp "$1/frr" "$RUN/frr.applied"
}

# frr_found FILE: what the package brought is kept, to be put back. FRR's daemons are those that FILE needs; frr_daemons says whether
# that is news.
frr_found() {
  local bfdd
  if [ ! -d "$VAR/frr" ]; then
    rm -rf "$VAR/frr.new"
    mkdir "$VAR/frr.new" && cp -p "$FRR_DAEMON_LIST" "$FRR_CONF" "$VAR/frr.new" &&
      systemctl show -P ActiveState frr >"$VAR/frr.new/state" &&
      { [ ! -e "$FRR_HISTORY" ] || true >"$VAR/frr.new/history"; } &&
      { [ ! -e "$FRR_COMMITS/commit-index.dat" ] || true >"$VAR/frr.new/commits"; } && mv "$VAR/frr.new" "$VAR/frr" ||
      refuse "the configuration that FRR came with cannot be kept in $VAR/frr" || return
  fi
  bfdd=$(frr_daemons_of "$1" | grep '^bfdd=')
  FRR_DAEMONS=
  # Which daemons there are counts: what else changed in this file is no reason for a start.
  if grep -qx 'bgpd=yes' "$FRR_DAEMON_LIST" && grep -qx "$bfdd" "$FRR_DAEMON_LIST"; then
    [ -n "$REPAIR" ] || return 0
  elif grep -qx 'bgpd=yes' "$FRR_DAEMON_LIST"; then
    FRR_DAEMONS=changed
  else
    rm -f "$RUN/frr.applied"
  fi
  frr_daemons_of "$1" >"$FRR_DAEMON_LIST.vpc6" && frr_place "$FRR_DAEMON_LIST.vpc6" "$FRR_DAEMON_LIST"
}

# frr_daemons_of FILE: the package's list of daemons, with those that FILE needs.
frr_daemons_of() {
  awk -v list="$VAR/frr/daemons" '
    $0 == "bfd" { bfd = 1 }
    END {
      while ((getline line <list) > 0) {
        if (line ~ /^bgpd=/) line = "bgpd=yes"
        if (line ~ /^bfdd=/) line = "bfdd=" (bfd ? "yes" : "no")
        print line
      }
    }
  ' "$1"
}

frr_place() {
  chown frr:frr "$1" && chmod 640 "$1" && mv "$1" "$2" || refuse "$2 cannot be written" || return
}

# frr_write FILE [live]: live is for a reload, which undoes what it finds running (RUN/frr.running) and not in the file: host name and
# forwarding switches. In the file that FRR starts from they would undo what others have set since. A reload prints what it adds: passwords
# stay what they are.
frr_write() {
  (
    umask 027
    {
      if [ -n "${2:-}" ]; then
        grep -E '^(frr |hostname |service |no ip forwarding|no ipv6 forwarding|domainname )' "$RUN/frr.running"
        frr_text "$1" | grep -v '^ neighbor [^ ]* password '
        cat "$RUN/frr.keys.stay"
      else
        frr_text "$1"
      fi
    } >"$FRR_CONF.vpc6"
  ) && frr_place "$FRR_CONF.vpc6" "$FRR_CONF"
}

# Passwords (TCP-MD5, RFC 2385) go to FRR in files that only root reads: frr-reload.py would print them, and say them on a command line.
# frr_keys FILE: `ASN NEIGHBOR PASSWORD` for each.
frr_keys() {
  awk '$1 == "router" && $2 == "bgp" { asn = $3 } $1 == "neighbor" && $3 == "password" { print asn, $2, $4 }' "$1" | sort -u
}

# frr_keys_drop FILE: of what is in RUN/frr.running, passwords that FILE has no more are taken away; those it has (in whatever wording) are in frr.keys.stay, in
# today's. 1: the kernel would keep one (that of a listen range) until FRR ends.
frr_keys_drop() {
  local group key range
  frr_keys "$RUN/frr.running" >"$RUN/frr.keys.now"
  frr_keys "$1" >"$RUN/frr.keys.want"
  comm -13 "$RUN/frr.keys.now" "$RUN/frr.keys.want" |
    awk '{ print "router bgp " $1; print " neighbor " $2 " password " $3; print "exit" }' >"$RUN/frr.keys.set"
  awk -v want="$RUN/frr.keys.want" -v stay="$RUN/frr.keys.stay" '
    BEGIN { printf "" >stay; while ((getline line <want) > 0) { split(line, w, " "); wanted[w[1] " " w[2]] = 1 } }
    ($1 " " $2) in wanted { print "router bgp " $1 "\n neighbor " $2 " password " $3 "\nexit" >stay; next }
    { print "router bgp " $1; print " no neighbor " $2 " password"; print "exit" }
  ' "$RUN/frr.keys.now" >"$RUN/frr.keys.drop"
  awk '$1 == "bgp" && $2 == "listen" && $3 == "range" { print $4, $6 }' "$RUN/frr.running" >"$RUN/frr.ranges"
  while read -r range group; do
    key=$(grep " $group " "$RUN/frr.keys.now") || continue
    grep -qxF "$key" "$RUN/frr.keys.want" && grep -qxF " bgp listen range $range peer-group $group" "$1" || return 1
  done <"$RUN/frr.ranges"
  [ ! -s "$RUN/frr.keys.drop" ] || vtysh -f "$RUN/frr.keys.drop" >/dev/null 2>&1
  :
}

frr_text() {
  echo "! by vpc6"
  echo "log syslog informational"
  grep -v '^#' "$1"
}

# frr_leave FILE: the neighbours in RUN/frr.running that are not in FILE are told that it is over. Without a word some (BIRD) keep our prefixes for
# the two minutes of a graceful restart. And those that FILE has without BFD lose it here: frr-reload.py would take no more than its profile.
frr_leave() {
  awk -v file="$1" '
    BEGIN {
      while ((getline line <file) > 0) {
        split(line, w, " ")
        if (w[1] == "neighbor") { named[w[2]] = 1; has[w[2] " " w[3]] = 1 }
      }
    }
    $1 == "router" && $2 == "bgp" { print "router bgp " $3 }
    $1 != "neighbor" || ($2 " " $3) in has { next }
    $3 == "remote-as" { print " neighbor " $2 " shutdown" }
    $3 == "bfd" && NF == 3 && $2 in named { print " no neighbor " $2 " bfd" }
  ' "$RUN/frr.running" >"$RUN/frr.leave"
  grep -q neighbor "$RUN/frr.leave" || return 0
  vtysh -f "$RUN/frr.leave" >/dev/null 2>&1
  ! grep -q ' bfd$' "$RUN/frr.leave" || frr_wake
  ! grep -q shutdown "$RUN/frr.leave" || sleep 0.3
}

# frr_wake: to FRR 10.2 and later a neighbor whose BFD is down is none to try; and when BFD is then taken from it, nothing makes it try again.
frr_wake() {
  local neighbor
  for neighbor in $(frr_idle); do vtysh -c "clear bgp ipv6 unicast $neighbor" >/dev/null 2>&1; done
}

# frr_idle [WHY]: the neighbors that bgpd does not try to reach; only those of which it says WHY, a pattern, too.
frr_idle() {
  vtysh -d bgpd -c 'show bgp neighbors' 2>/dev/null | awk -v why="${1:-BGP state}" '
    /^BGP neighbor is / { neighbor = $4; sub(/,$/, "", neighbor); sub(/^\*/, "", neighbor); idle = 0 }
    /^ *BGP state = Idle/ { idle = 1 }
    idle && $0 ~ why { print neighbor; idle = 0 }
  '
}

# frr_waits FILE: warns of sessions that have not begun, as they wait for BFD. That comes and goes by itself, and is no drift.
frr_waits() {
  local neighbor
  grep -q '^ neighbor .* bfd$' "$1" && ! frr_young || return 0
  for neighbor in $(frr_idle "Status: Down"); do
    warn "BGP with $neighbor waits for its BFD: FRR 10.2 and later does not begin before that is up. Have the neighbor send BFD by itself \
(an Uplink with \`accept: \"supernet\"\` does not), or leave out \`bfd\`"
  done
}

# frr_tell FILE: FRR is told what comes, changes and goes: 0 when it then runs exactly FILE, by its own words. What is not known here is
# for frr_reload, what was told in vain too. Each start of vtysh costs 30 ms of a processor, frr-reload.py 300 and one of vtysh for each line that goes.
frr_tell() {
  frr_running && frr_changes "$1" "$RUN/frr.running" >"$RUN/frr.changes" || return 1
  frr_leave "$1"
  [ ! -s "$RUN/frr.changes" ] || vtysh -f "$RUN/frr.changes" >/dev/null 2>&1 || return 1
  vtysh -c "$FRR_AGAIN" -c 'show running-config' >"$RUN/frr.now" 2>/dev/null || return 1
  frr_lines "$1" "$RUN/frr.now" >"$RUN/frr.differs"
  [ ! -s "$RUN/frr.differs" ] || return 1
  FRR_RUNS=yes
}

# frr_running: RUN/frr.running = FRR's own words for what it runs with.
frr_running() {
  vtysh -c 'show running-config' >"$RUN/frr.running" 2>/dev/null
}

# frr_changes FILE RUNNING: what makes RUNNING what FILE says, as FRR takes it. 1 when only frr-reload.py knows.
frr_changes() {
  awk '@frr_changes.awk@' "$1" "$2"
}

frr_reload() {
  local code
  frr_running
  frr_leave "$1"
  frr_keys_drop "$1" || {
    frr_write "$1" && frr_start
    return
  }
  frr_write "$1" live || return 1
  if [ -n "$FRR_DAEMONS" ]; then
    # Starts and stops those that have come and gone, no other, and ends with frr-reload.py too.
    systemctl reload frr >"$RUN/frr.out" 2>&1
  else
    "$ROOT/usr/lib/frr/frr-reload.py" --reload "$FRR_CONF" >"$RUN/frr.out" 2>&1
  fi
  code=$?
  if [ $code = 0 ] && [ -s "$RUN/frr.keys.set" ]; then
    vtysh -f "$RUN/frr.keys.set" >"$RUN/frr.out" 2>&1
    code=$?
  fi
  frr_write "$1" || return 1
  # Of some statements it leaves something behind, which is told. Whatever comes of that, the routes there are go through their lists again.
  if [ $code = 0 ] && ! frr_tell "$1"; then
    vtysh -c "$FRR_AGAIN" >"$RUN/frr.out" 2>&1
    code=$?
  fi
  [ $code = 0 ] || {
    rm -f "$RUN/frr.applied"
    WHY=$(grep -vE ' (INFO|DEBUG): ' "$RUN/frr.out" | tail -n 8)
    return 1
  }
}

frr_start() {
  # Three starts in as many minutes are all that frr.service allows by itself.
  systemctl reset-failed frr >/dev/null 2>&1
  [ -z "$REPAIR" ] || systemctl unmask frr >/dev/null 2>&1
  unit_restart frr
}

# Does bgpd run, and know every neighbour? It may still be reading its configuration.
frr_health() {
  local missing tries
  [ -s "$1/frr" ] && [ -z "$FRR_RUNS" ] || return 0
  awk '$1 == "neighbor" && $3 == "remote-as" { print " neighbor " $2 " remote-as " $4 }' "$1/frr" | sort -u >"$RUN/frr.want"
  tries=0
  while :; do
    vtysh -d bgpd -c 'show running-config' >"$RUN/frr.now" 2>"$RUN/frr.out"
    missing=$(grep -vxF -f "$RUN/frr.now" "$RUN/frr.want")
    [ -n "$missing" ] || return 0
    tries=$((tries + 1))
    [ $tries -lt 50 ] || break
    sleep 0.1
  done
  refuse "bgpd does not have:$missing
$(unit_said frr)" "$(awk -v line="$(echo "$missing" | head -n 1)" '/^# vpc6 / { id = $3 } $0 == line { print id; exit }' "$1/frr")"
}

# bgpd's own words for what it runs with are the same as ours, line by line, under the same headings.
frr_drift() {
  local waits
  [ -s "$1/frr" ] || { [ ! -d "$VAR/frr" ] || drift_daemon frr inactive; return; }
  drift_daemon frr active
  { frr_text "$1/frr" >"$RUN/frr.file"; } 2>/dev/null
  frr_daemons_of "$1/frr" >"$RUN/frr.daemons" 2>/dev/null
  waits=0
  while :; do
    vtysh -c 'show running-config' 2>/dev/null >"$RUN/frr.now"
    frr_lines "$1/frr" "$RUN/frr.now" >"$RUN/frr.differs"
    [ -s "$RUN/frr.differs" ] && [ $waits -lt 50 ] && frr_young || break
    waits=$((waits + 1))
    sleep 0.2
  done
  frr_waits "$1/frr"
  {
    drift_file "$RUN/frr.file" "$FRR_CONF" frr
    drift_file "$RUN/frr.daemons" "$FRR_DAEMON_LIST"
    [ ! -s "$RUN/frr.differs" ] || ! systemctl --quiet is-active frr || cat "$RUN/frr.differs"
  } >"$RUN/frr.drift"
  [ -s "$RUN/frr.drift" ] || return 0
  sed 's/ password .*/ password (not shown)/' "$RUN/frr.drift"
  # What runs is not known to be what is on record: a reload finds the difference.
  [ ! -e "$RUN/frr.applied" ] || true >"$RUN/frr.applied"
}

# Started within the last 20 seconds: it may still be reading its configuration.
frr_young() {
  local since
  now
  since=$(systemctl show -P ActiveEnterTimestampMonotonic frr)
  systemctl --quiet is-active frr && [ $((NOW - since / 1000000)) -lt 20 ]
}

# frr_lines FILE RUNNING: statements that are in one and not in the other.
frr_lines() {
  awk '@frr_lines.awk@' "$1" "$2"
}

# As the package left it: stopped, its own files in place.
frr_remove() {
  local file
  rm -f "$RUN/frr.applied"
  [ -d "$VAR/frr" ] || return 0
  if systemctl --quiet is-active frr; then
    frr_running
    frr_leave /dev/null
  fi
  unit_stop frr
  for file in daemons frr.conf; do
    [ ! -d "${FRR_CONF%/*}" ] || cp -p "$VAR/frr/$file" "${FRR_CONF%/*}/$file"
  done
  [ -e "$VAR/frr/history" ] || rm -f "$FRR_HISTORY"
  [ -e "$VAR/frr/commits" ] || rm -f "$FRR_COMMITS"/commit-*
  ! grep -qsx active "$VAR/frr/state" || systemctl start frr
  rm -rf "$VAR/frr"
}
