# password: CloudStack's guest protocol on the tiers' gateways, port @PASSWORD_PORT@. A socket for each gateway, and behind it, while somebody asks,
# a process without privileges (password.pl) that knows the guests of this gateway. Another tier's socket is not touched.
#
# Lines `GATEWAY NAME ADDRESS PASSWORD`: the guest with that address asks at that gateway, which has that name in DNS.

password_slots="@PASSWORD_SLOTS@"
password_daemons='vpc6-password@*.socket vpc6-password-ipv4@*.socket'
PASSWORD_STATES=$ROOT/var/lib/private/vpc6-password

# A table for each gateway, `@PASSWORDS@/GATEWAY`; and the gateways' names among those of DNS, as the Router's own.
password_assemble() {
  [ -s "$1/passwords" ] || return 0
  router_in "${1%/files}/fragments"
  awk -v dir="$1/@PASSWORDS@/" -v names="$1/dns-hosts" -v router="$ROUTER" '
    /^# vpc6 / { id = $3; next }
    NF != 4 || $1 !~ /^[0-9a-f:.]+$/ { next }
    { print id, $3, $4 >(dir $1) }
    !(($1 " " $2) in told) { told[$1 " " $2] = 1; if (!named++) print "# vpc6 " router >>names; print $1, $2 >>names }
  ' "$1/passwords"
}

password_check() {
  local wrong
  [ -s "$1/passwords" ] || return 0
  wrong=$(awk -v rivals="$RUN/rivals" '
    /^# vpc6 / { id = $3; next }
    NF != 4 || $1 !~ /^[0-9a-f:.]+$/ || $3 !~ /^[0-9a-f:.]+$/ { print id; print "not a line of a password"; exit }
    ($1, $3) in by { print id, by[$1, $3] >rivals; print id; print $3 " at " $1 " is already said by " by[$1, $3]; exit }
    { by[$1, $3] = id }
  ' "$1/passwords")
  judged $? "$wrong" || return
  [ -x "$ROOT/usr/bin/perl" ] || refuse "there is no /usr/bin/perl (Debian's perl-base, which is essential)"
}

password_apply() {
  local gateway table
  mkdir -p "$RUN/password.applied" || return 1
  password_sockets >"$RUN/password.sockets"
  while read -r gateway; do
    [ ! -e "$1/@PASSWORDS@/$gateway" ] || continue
    unit_stop "$(password_socket "$gateway")" "vpc6-password@$gateway.service"
    rm -f "$RUN/password.applied/$gateway"
  done <"$RUN/password.sockets"
  for table in "$1"/@PASSWORDS@/*; do
    [ -e "$table" ] || continue
    password_serve "${table##*/}" "$(sha256sum <"$table")" || return 1
  done
  password_forget "$1/@PASSWORDS@"
}

# password_serve GATEWAY SUM: a process with another table goes: the next one who asks gets a new one. Who asks meanwhile waits in the
# socket, which stays.
password_serve() {
  if [ "$(cat "$RUN/password.applied/$1" 2>/dev/null)" != "$2" ]; then
    unit_stop "vpc6-password@$1.service"
  fi
  if [ -n "${BOOTING:-}" ]; then
    systemctl start --no-block "$(password_socket "$1")"
  elif ! systemctl --quiet is-active "$(password_socket "$1")"; then
    systemctl reset-failed "$(password_socket "$1")" >/dev/null 2>&1
    # A process that has lost its socket is in its way.
    unit_stop "vpc6-password@$1.service"
    systemctl start "$(password_socket "$1")" >"$RUN/password.out" 2>&1 || {
      password_blame "$1"
      refuse "nobody can listen at $1, port @PASSWORD_PORT@: $(password_said "$1")"
      return
    }
  fi
  echo "$2" >"$RUN/password.applied/$1"
}

password_said() {
  journal_of "$RUN/password.out" -n 4 -u "$(password_socket "$1")"
}

password_blame() {
  read -r BLAME _ <"$ETC/live/files/@PASSWORDS@/$1" || BLAME=
}

# password_socket GATEWAY: the socket unit there; only an IPv6 address stands in brackets.
password_socket() {
  case $1 in *:*) echo "vpc6-password@$1.socket" ;; *) echo "vpc6-password-ipv4@$1.socket" ;; esac
}

# password_sockets: the gateways that have a socket unit, whatever its state.
password_sockets() {
  systemctl list-units --all --plain --no-legend 'vpc6-password@*.socket' 'vpc6-password-ipv4@*.socket' |
    awk '{ for (i = 1; i <= 2; i++) if (sub(/^vpc6-password(-ipv4)?@/, "", $i) && sub(/\.socket$/, "", $i)) print $i }'
}

# password_forget TABLES: what guests acknowledged who have no password any more.
password_forget() {
  local state
  [ -d "$PASSWORD_STATES" ] || return 0
  cat "$1"/* 2>/dev/null | awk '{ print $1 }' >"$RUN/password.ids"
  for state in "$PASSWORD_STATES"/*; do
    [ -f "$state" ] || continue
    grep -qxF -e "${state##*/}" "$RUN/password.ids" || rm -f "$state"
  done
}

password_health() {
  local table
  for table in "$1"/@PASSWORDS@/*; do
    [ -e "$table" ] || continue
    systemctl --quiet is-active "$(password_socket "${table##*/}")" || {
      password_blame "${table##*/}"
      refuse "nobody listens at ${table##*/}, port @PASSWORD_PORT@: $(password_said "${table##*/}")"
      return
    }
  done
}

password_drift() {
  local gateway line live="$ETC/live/files/@PASSWORDS@" rest table
  for table in "$1/@PASSWORDS@"/* "$live"/*; do
    gateway=${table##*/}
    case $table in "$live"/*) [ ! -e "$1/@PASSWORDS@/$gateway" ] || continue ;; esac
    [ ! -e "$table" ] || cmp -s "$1/@PASSWORDS@/$gateway" "$live/$gateway" && continue
    echo "- $live/$gateway changed"
    # A process may have it, and goes when it is repaired.
    rm -f "$RUN/password.applied/$gateway"
  done
  for table in "$1/@PASSWORDS@"/*; do
    [ ! -e "$table" ] || drift_daemon "$(password_socket "${table##*/}")" active
  done
  rest=${DRIFT_UNITS#"$NEWLINE"}
  while [ -n "$rest" ]; do
    line=${rest%%"$NEWLINE"*}
    rest=${rest#*"$NEWLINE"}
    case $line in vpc6-password@*.socket\ * | vpc6-password-ipv4@*.socket\ *) ;; *) continue ;; esac
    gateway=${line%%.socket *}
    [ -e "$1/@PASSWORDS@/${gateway#*@}" ] || drift_daemon "${line%% *}" inactive
  done
}

password_remove() {
  mkdir -p "$RUN/none/@PASSWORDS@"
  rm -f "$RUN/none/@PASSWORDS@"/*
  password_apply "$RUN/none"
  rm -rf "$PASSWORD_STATES" "$ROOT/var/lib/vpc6-password"
}

# unit_password_socket LISTEN
unit_password_socket() {
  echo "# by vpc6
[Unit]
Description=vpc6: passwords of guests, at %i

[Socket]
ListenStream=$1:@PASSWORD_PORT@
FreeBind=yes
BindIPv6Only=ipv6-only
Service=vpc6-password@%i.service
TriggerLimitIntervalSec=0"
}

# perl -x: the program is in ours, below. It holds the sockets it is given and can open no other: no network of its own.
unit_password() {
  echo "# by vpc6
[Unit]
Description=vpc6: passwords of guests, at %i
After=vpc6.service
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/bin/perl -x -T $PROGRAM
LoadCredential=passwords:$ETC/live/files/@PASSWORDS@/%i
User=vpc6-password
DynamicUser=yes
StateDirectory=vpc6-password
StateDirectoryMode=0700
UMask=0077
Restart=on-failure
RestartSec=1
TimeoutStopSec=10
Nice=5
MemoryMax=64M
MemorySwapMax=0
TasksMax=4
LimitNOFILE=512
LimitCORE=0
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateNetwork=yes
RestrictAddressFamilies=none
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources"
}

password_server() {
  cat <<'END'
@PASSWORD_SERVER@
END
}
