# tayga: NAT64 (RFC 6145, 6146), a translator for each VPC that has one, each in an instance of our own unit. A fragment is tayga's own
# configuration, the device first. Devices stay while a translator is started again, and so do the flows.
# shellcheck disable=SC2015 # A && B || C: C is for when either fails

TAYGA_USER=vpc6-tayga
TAYGA_DATA=$ROOT@TAYGA_DATA@

# Not the network service's own, which would take them for its to remove.
TAYGA_PROTO=107

tayga_slots="@TAYGA_SLOTS@"
tayga_template=@
tayga_daemons='vpc6-tayga@*'

# IPv4 addresses of ours stand in the file too: when one comes that lies in a pool, this service is asked; and what the public side's MTU is
# to be, which the devices' depends on.
tayga_assemble() {
  [ ! -s "$1/tayga" ] || awk '
    $1 == "address" && $3 !~ /:/ { print "# beside", $3, "on", $2 }
    $1 == "interface" && $3 == "keep-ra" { public = $2 }
    $1 == "mtu" && $2 == public { print "# beside an MTU of", $3, "on", $2 }
  ' "$1/network" >>"$1/tayga"
}

# tayga_mtu FILE: TAYGA_MTU = the devices'. A packet that fills the public side's link over IPv4 has a header of 20 bytes more over IPv6 (RFC
# 7915 section 1.4), and IPv6 is on no link of less than 1280.
tayga_mtu() {
  local mtu='' public
  public=$(awk '$1 == "interface" && $3 == "keep-ra" { print $2; exit }' "$1" 2>/dev/null)
  read -r mtu 2>/dev/null <"$LINKS/$public/mtu" || mtu=1500
  TAYGA_MTU=$((mtu < 1260 ? 1280 : mtu + 20))
}

# tayga_fits DEV: has it that?
tayga_fits() {
  DEVICE_MTU=
  read -r DEVICE_MTU 2>/dev/null <"$LINKS/$1/mtu"
  [ "${DEVICE_MTU:-$TAYGA_MTU}" = "$TAYGA_MTU" ]
}

# Tayga has no dry run. The pools and prefixes are checked against one another and against all that the host has, or will have.
tayga_check() {
  local wrong
  [ -s "$1/tayga" ] || return 0
  command -v tayga >/dev/null || refuse "tayga is not installed (the Nat64's packages should name it)" || return
  [ -c "$ROOT/dev/net/tun" ] || modprobe -q tun 2>/dev/null
  [ -c "$ROOT/dev/net/tun" ] || refuse "this host has no /dev/net/tun: the kernel module tun is missing, or a container may not use it" || return
  {
    ip -o -4 addr show | awk '{ print "has", $4, "on", $2 }'
    ip -o -4 route show table main | awk '$1 != "default" { for (i = 2; i < NF; i++) if ($i == "dev") print "has", $1, "on", $(i + 1) }'
    ip -o -6 route show table main | awk '$1 ~ /:/ { for (i = 2; i < NF; i++) if ($i == "dev") print "route", $1, "on", $(i + 1) }'
  } >"$RUN/tayga.have"
  wrong=$(awk -v rivals="$RUN/rivals" '@tayga_check.awk@' "$RUN/tayga.have" "$1/network" "$1/tayga")
  judged $? "$wrong" || return
  # A route that is away for a moment must not stand in the way of other changes.
  grep -v '^#' "$1/tayga" >"$RUN/tayga.want"
  grep -v '^#' "$CONFIRMED/files/tayga" 2>/dev/null | cmp -s - "$RUN/tayga.want" || tayga_way_out "$1"
}

# Translated traffic leaves over the public interface only, with that interface's IPv4 address. Both are the operator's.
tayga_way_out() {
  local public
  public=$(awk '$1 == "interface" && $3 == "keep-ra" { print $2; exit }' "$1/network")
  [ -n "$(ip -4 route show default dev "$public" 2>/dev/null)" ] && return 0
  blame "$1/tayga" 2
  refuse "NAT64 has no way out: there is no IPv4 default route over the public interface $public. vpc6 does not set one:
give $public an IPv4 address and a default route in the host's own network configuration"
}

# tayga_split FILE: a file for each device in RUN/tayga.new.
tayga_split() {
  rm -rf "$RUN/tayga.new" && mkdir "$RUN/tayga.new" || return 1
  awk -v dir="$RUN/tayga.new/" '
    /^#/ || !NF { next }
    $1 == "tun-device" { if (file != "") close(file); file = dir $2 ".conf"; print "# by vpc6" >file }
    { print >file }
  ' "$1"
}

tayga_apply() {
  local dev file
  if [ ! -s "$1/tayga" ]; then
    tayga_remove
    return
  fi
  mkdir -p "$VAR/tayga" "$TAYGA_DATA" && tayga_split "$1/tayga" && tayga_user || return 1
  for file in "$VAR"/tayga/*.conf; do
    dev=${file##*/}
    [ ! -e "$file" ] || [ -e "$RUN/tayga.new/$dev" ] || tayga_gone "${dev%.conf}"
  done
  tayga_mtu "$1/network"
  for file in "$RUN"/tayga.new/*.conf; do
    [ -e "$file" ] || break
    dev=${file##*/}
    dev=${dev%.conf}
    # It reads its device's MTU as it starts.
    if tayga_fits "$dev" && cmp -s "$file" "$VAR/tayga/$dev.conf" && systemctl --quiet is-active "vpc6-tayga@$dev"; then
      [ -z "$REPAIR" ] || tayga_device "$dev"
      continue
    fi
    cp "$file" "$VAR/tayga/.new" && mv "$VAR/tayga/.new" "$VAR/tayga/$dev.conf" || return 1
    unit_restart "vpc6-tayga@$dev" || return 1
  done
}

tayga_user() {
  getent passwd "$TAYGA_USER" >/dev/null && return 0
  WHY=$(useradd --system --user-group --no-create-home --home-dir "$TAYGA_DATA" --shell /usr/sbin/nologin "$TAYGA_USER" 2>&1)
}

# tayga_device DEV: from the unit, before the translator, which opens the device as root and then is root no more. The device
# has no address: nothing of the router's own can be reached by it.
tayga_device() {
  local conf="$VAR/tayga/$1.conf" family to want
  [ -r "$conf" ] && mkdir -p "$TAYGA_DATA/$1" && chown "$TAYGA_USER" "$TAYGA_DATA/$1" || return 1
  [ -e "$LINKS/$1" ] || ip tuntap add dev "$1" mode tun user root || return 1
  ip link set dev "$1" addrgenmode none
  sysctl_put "net/ipv6/conf/$1/accept_ra" 0
  tayga_mtu "$ETC/live/files/network"
  ip link set dev "$1" mtu "$TAYGA_MTU" up || return 1
  want=$(tayga_routes "$conf")
  for to in $want; do
    case $to in *:*) family=-6 ;; *) family=-4 ;; esac
    ip "$family" route replace "$to" dev "$1" proto "$TAYGA_PROTO" || return 1
  done
  # What a former prefix or pool has left.
  { ip -4 route show dev "$1" proto "$TAYGA_PROTO"; ip -6 route show dev "$1" proto "$TAYGA_PROTO"; } | while read -r to _; do
    case " $(echo "$want" | tr '\n' ' ') " in *" $to "* | *" $to/128 "*) ;; *) ip route del "$to" dev "$1" ;; esac
  done
}

# tayga_routes FILE: what leads into the translator.
tayga_routes() {
  awk '$1 == "prefix" || $1 == "dynamic-pool" || $1 == "ipv6-addr" { print ($2 ~ /\// ? $2 : $2 "/128") }' "$1"
}

tayga_drift() {
  local dev family file id to
  tayga_split "$1/tayga" || return 1
  tayga_mtu "$1/network"
  for file in "$VAR"/tayga/*.conf "$RUN"/tayga.new/*.conf; do
    dev=${file##*/}
    dev=${dev%.conf}
    if [ -e "$file" ] && [ ! -e "$RUN/tayga.new/$dev.conf" ]; then echo "- $file added"; fi
    case $file in "$RUN"/*) [ -e "$file" ] || continue ;; *) continue ;; esac
    id=$(tayga_owner "$1" "$dev")
    cmp -s "$file" "$VAR/tayga/$dev.conf" || echo "$id $VAR/tayga/$dev.conf changed"
    drift_daemon "vpc6-tayga@$dev" active "$id"
    tayga_fits "$dev" || echo "$id MTU of $dev = $DEVICE_MTU instead of $TAYGA_MTU"
    for to in $(tayga_routes "$file"); do
      case $to in *:*) family=-6 ;; *) family=-4 ;; esac
      [ -n "$(ip "$family" route show exact "$to" dev "$dev" 2>/dev/null)" ] ||
        echo "$id route removed, $to dev $dev"
    done
  done
}

# tayga_owner FILES DEV: the fragment that says DEV.
tayga_owner() {
  awk -v dev="$2" '/^# vpc6 / { id = $3 } $1 == "tun-device" && $2 == dev { print id; exit }' "$1/tayga"
}

tayga_gone() {
  unit_stop "vpc6-tayga@$1"
  [ ! -e "$LINKS/$1" ] || ip link del dev "$1"
  rm -rf "$VAR/tayga/$1.conf" "${TAYGA_DATA:?}/$1"
}

# A translator at work holds its device open: the device has a carrier.
tayga_health() {
  local dev file tries
  for file in "$VAR"/tayga/*.conf; do
    [ -e "$file" ] || break
    dev=${file##*/}
    dev=${dev%.conf}
    tries=0
    until [ "$(cat "$LINKS/$dev/carrier" 2>/dev/null)" = 1 ]; do
      tries=$((tries + 1))
      [ $tries -lt 50 ] || {
        refuse "vpc6-tayga@$dev does not stay up: $(unit_said "vpc6-tayga@$dev")" "$(tayga_owner "$1" "$dev")"
        return
      }
      sleep 0.1
    done
  done
}

tayga_remove() {
  local dev file
  for file in "$VAR"/tayga/*.conf; do
    [ -e "$file" ] || break
    dev=${file##*/}
    tayga_gone "${dev%.conf}"
  done
  rm -rf "$VAR/tayga" "$TAYGA_DATA"
  ! getent passwd "$TAYGA_USER" >/dev/null || userdel "$TAYGA_USER" >/dev/null 2>&1
}

tayga_unit() {
  echo "# by vpc6
[Unit]
Description=vpc6: NAT64 on %i (tayga)
After=vpc6.service network.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStartPre=+$PROGRAM tayga %i
ExecStart=/usr/sbin/tayga --nodetach --user $TAYGA_USER --group $TAYGA_USER --chroot --config $VAR/tayga/%i.conf
CapabilityBoundingSet=CAP_NET_ADMIN CAP_DAC_OVERRIDE CAP_CHOWN CAP_SETUID CAP_SETGID CAP_SYS_CHROOT
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=$TAYGA_DATA
ProtectHome=yes
PrivateTmp=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
Restart=always
RestartSec=1
TimeoutStartSec=20
TimeoutStopSec=10"
}
