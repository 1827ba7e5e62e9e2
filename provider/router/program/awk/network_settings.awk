# The assembled file: a line `ID DEV MTU:NOW NAME=VALUE:NOW...` for each link of ours, what it is to be set to (see network_settings) and what it is.
function now(name,   value) { getline value <(conf name); close(conf name); return value }
function device(dev,   file, value) { file = links "/" dev "/mtu"; getline value <file; close(file); return value }
BEGIN { conf = sysctl "/net/ipv6/conf/" }
/^# vpc6 / { id = $3; next }
$1 == "mtu" { mtu[$2] = $3 }
$1 == "interface" { dev[++count] = $2; of[count] = id; kind[count] = $3 }
END {
  forwards = now("all/forwarding")
  for (i = 1; i <= count; i++) {
    learns = now(dev[i] "/accept_ra")
    ra = (kind[i] == "keep-ra" && learns != "0") ? 2 : 0
    line = of[i] " " dev[i] " " (dev[i] in mtu ? mtu[dev[i]] ":" device(dev[i]) : "-")
    if (kind[i] == "ipv4") { print line " accept_ra=0:" learns; continue }
    line = line " disable_ipv6=0:" now(dev[i] "/disable_ipv6") " accept_ra=" ra ":" learns " keep_addr_on_down=1:" now(dev[i] "/keep_addr_on_down") \
      " router_solicitation_delay=0:" now(dev[i] "/router_solicitation_delay")
    # What IPv6 takes for the link's, and what the link has: the one is set along with the other, and can be made less by itself.
    if (dev[i] in mtu && kind[i] != "keep-ra" && device(dev[i]) == mtu[dev[i]]) line = line " mtu=" mtu[dev[i]] ":" now(dev[i] "/mtu")
    print line (forwards != "0" && kind[i] != "keep-ra" ? " forwarding=1:" now(dev[i] "/forwarding") : "")
  }
}
