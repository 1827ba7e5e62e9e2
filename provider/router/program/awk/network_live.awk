# What ip lists, in the files of `run`, as lines of a fragment; after a tab where each is from.
function full(prefix, v6) {
  if (prefix == "default") return v6 ? "::/0" : "0.0.0.0/0"
  return prefix ~ /\// ? prefix : prefix (v6 ? "/128" : "/32")
}
BEGIN {
  while ((getline line <(run "/addresses")) > 0) {
    split(line, w, " ")
    if (w[3] ~ /^inet/) print "address " w[2] " " w[4] "\t" (line ~ / scope (link|host)/ ? "kernel" : line ~ / dynamic/ ? "dynamic" : "static")
  }
  while ((getline line <(run "/routes")) > 0) {
    n = split(line, w, " ")
    v6 = line ~ / pref /
    proto = "static"; via = ""; dev = ""; metric = v6 ? 1024 : 0
    for (i = 2; i < n; i++) {
      if (w[i] == "proto") proto = w[i + 1]
      if (w[i] == "via") via = w[i + 1]
      if (w[i] == "dev") dev = w[i + 1]
      if (w[i] == "metric") metric = w[i + 1]
    }
    if (w[1] == "unreachable") print "unreachable " full(w[2], v6) "\t" proto
    else if (via != "") print "route " dev " " full(w[1], v6) " via " via " metric " metric "\t" proto
    else if (dev != "" && w[1] ~ /^(default$|[0-9a-f.:]+(\/[0-9]+)?$)/) print "onlink " dev " " full(w[1], v6) " metric " metric "\t" proto
  }
  while ((getline line <(run "/neighbors")) > 0) {
    n = split(line, w, " "); dev = ""; mac = ""
    for (i = 2; i < n; i++) { if (w[i] == "dev") dev = w[i + 1]; if (w[i] == "lladdr") mac = w[i + 1] }
    print "neighbor " dev " " w[1] " " mac "\tstatic"
  }
}
