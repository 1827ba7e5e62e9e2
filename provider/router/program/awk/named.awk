# The assembled files of dnsmasq, of the network, and `named`, which becomes what the daemon reads; empty where there is no gateway to listen at.
FILENAME == named { text = text $0 "\n"; next }
FILENAME ~ /dnsmasq$/ { if (sub(/^interface=/, "")) served[$1] = 1; next }
$1 == "address" && $2 in served && $3 ~ /:/ { sub(/\/.*/, "", $3); gateways = gateways " " $3 ";" }
END {
  printf "" >named
  if (gateways == "") exit
  print "options {" >named
  print "\tdirectory \"/var/cache/bind\";" >named
  print "\tpid-file none;" >named
  print "\tsession-keyfile none;" >named
  print "\tlisten-on { none; };" >named
  print "\tlisten-on-v6 port " port " {" gateways " };" >named
  print "\tallow-query { any; };" >named
  print "\tallow-recursion { any; };" >named
  print "\tforward only;" >named
  print "\tforwarders {" gateways " };" >named
  print "\tdnssec-validation no;" >named
  print "\tempty-zones-enable no;" >named
  print "\tmax-cache-size 16m;" >named
  print "\trecursive-clients 3000;" >named
  print "\ttcp-clients 600;" >named
  print "\tmax-ncache-ttl 5;" >named
  print "\tversion none;" >named
  printf "%s", text >named
  print "};" >named
  print "controls { };" >named
}
