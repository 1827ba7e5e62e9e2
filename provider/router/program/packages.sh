# Packages: what is missing is installed, and every package that came new with it is remembered, so that `uninstall` purges
# exactly those. Their daemons are not started by dpkg, nor at the next boot: vpc6 has units of its own.

POLICY=$ROOT/usr/sbin/policy-rc.d

installed() {
  # shellcheck disable=SC2016 # dpkg-query's own fields
  dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' 2>/dev/null | awk '$1 == "installed" { print $2 }' | sort
}

# users passwd, users group
users() {
  cut -d: -f1 "$ROOT/etc/$1" | sort
}

# packages_seen FILE: were all of these there when we last looked, and has dpkg done nothing since?
packages_seen() {
  [ -z "$REPAIR" ] && [ -e "$VAR/packages.seen" ] && [ -e "$ROOT/var/lib/dpkg/status" ] &&
    ! [ "$ROOT/var/lib/dpkg/status" -nt "$VAR/packages.seen" ] && cmp -s "$1" "$VAR/packages.seen"
}

# packages_install FILE: FILE is the assembled slot.
packages_install() {
  local code missing wanted wrong
  packages_recover
  [ -z "$REPAIR" ] || packages_mend || return
  packages_seen "$1" && return 0
  cp "$1" "$VAR/packages.now" || return 1
  wanted=$(awk '!/^#/ && NF { print $1 }' "$1" | sort -u)
  wrong=$(printf '%s\n' "$wanted" | awk 'NF && !/^[a-z0-9][a-z0-9.+-]*$/')
  [ -z "$wrong" ] || refuse "not a package name: $wrong" || return
  # shellcheck disable=SC2086 # a list of names
  missing=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | awk -v wanted="$wanted" '
    $1 == "installed" { have[$2] = 1 }
    END { n = split(wanted, name, "\n"); for (i = 1; i <= n; i++) if (!(name[i] in have)) printf " %s", name[i] }
  ')
  [ -n "$missing" ] || {
    mv -f "$VAR/packages.now" "$VAR/packages.seen"
    return
  }
  say "installing$missing"
  users passwd >"$VAR/users.before" && users group >"$VAR/groups.before" && installed >"$VAR/packages.before" || return 1
  policy_closed
  if ! lists_present || ! apt_install "$missing"; then
    say "reading the package lists"
    apt_get update && apt_install "$missing"
  fi
  code=$?
  [ $code = 0 ] || WHY="apt-get cannot install$missing:
$(grep -E '^(E|W|dpkg|Err)' "$RUN/apt.log" | tail -n 8)$(packages_universe)"
  policy_restored
  packages_recover
  return $code
}

# packages_universe: of an Ubuntu whose apt has no list of universe, where FRR and Tayga are: what to do.
packages_universe() {
  local list
  grep -qE '^E: (Unable to locate|.* has no installation candidate)' "$RUN/apt.log" || return 0
  release
  [ "${RELEASE%%/*}" = ubuntu ] || return 0
  for list in "$ROOT"/var/lib/apt/lists/*_universe_*; do [ ! -e "$list" ] || return 0; done
  printf '\n%s' "this host's apt has no list of Ubuntu's universe, where some of these are: run \`sudo add-apt-repository universe\` there"
}

lists_present() {
  local list
  for list in "$ROOT"/var/lib/apt/lists/*_Packages* "$ROOT"/var/lib/apt/lists/*_InRelease; do
    [ -e "$list" ] && return 0
  done
  return 1
}

# apt_install "NAME..."
apt_install() {
  # shellcheck disable=SC2086 # a list of names
  apt_get install --no-install-recommends -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold $1
}

# apt_get ARGS: to its end even when the other side is gone; tells what it is doing, and that it is still at it.
apt_get() {
  local last='' silent=0 line pid
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -y -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 "$@" \
    </dev/null >"$RUN/apt.log" 2>&1 9>&- &
  pid=$!
  while kill -0 $pid 2>/dev/null; do
    sleep 0.5
    line=$(grep -E '^(Get:|Unpacking|Setting up|Removing|Purging)' "$RUN/apt.log" | tail -n 1 | cut -c 1-100)
    silent=$((silent + 1))
    if [ "$line" != "$last" ] || [ $silent -ge 20 ]; then
      say "${line:-apt-get $1}"
      last=$line
      silent=0
    fi
  done
  wait $pid
}

# While this file is there no package starts or stops a daemon. An operator's own one comes back afterwards.
policy_closed() {
  [ ! -e "$POLICY" ] || [ -e "$VAR/policy-rc.d" ] || mv "$POLICY" "$VAR/policy-rc.d"
  printf '#!/bin/sh\n# by vpc6, while it installs packages\nexit 101\n' >"$POLICY.vpc6" &&
    chmod 755 "$POLICY.vpc6" && mv -f "$POLICY.vpc6" "$POLICY"
}

policy_restored() {
  ! grep -qs 'by vpc6' "$POLICY" || rm -f "$POLICY"
  [ ! -e "$VAR/policy-rc.d" ] || mv -f "$VAR/policy-rc.d" "$POLICY"
}

# packages_recover: what has come since packages.before was written is ours (also when that run was killed).
packages_recover() {
  [ -e "$VAR/packages.before" ] || return 0
  policy_restored
  installed | comm -13 "$VAR/packages.before" - >"$RUN/new"
  cat "$RUN/new" >>"$VAR/packages"
  [ ! -e "$VAR/users.before" ] || users passwd | comm -13 "$VAR/users.before" - >>"$VAR/users"
  [ ! -e "$VAR/groups.before" ] || users group | comm -13 "$VAR/groups.before" - >>"$VAR/groups"
  if [ -s "$RUN/new" ]; then
    # shellcheck disable=SC2046 # a list of names
    dpkg -L $(cat "$RUN/new") 2>/dev/null | awk -F/ '/\/systemd\/system\/[^\/]*\.(service|socket|timer)$/ { print $NF }' | sort -u |
      grep -v @ >"$RUN/new-units"
    if [ -s "$RUN/new-units" ]; then
      # shellcheck disable=SC2046 # a list of names
      systemctl --quiet disable $(cat "$RUN/new-units") >/dev/null 2>&1
    fi
  fi
  packages_keep
  rm -f "$VAR/packages.before" "$VAR/users.before" "$VAR/groups.before"
}

# packages_keep: what came with us is written down twice, with sums: by it a `destroy` purges, and FRR is known to be ours.
packages_keep() {
  rm -rf "$VAR/kept.new" && mkdir "$VAR/kept.new" && (
    cd "$VAR" && touch packages users groups && cp packages users groups kept.new && cd kept.new && sha256sum packages users groups >sums
  ) && rm -rf "$VAR/kept" && mv "$VAR/kept.new" "$VAR/kept"
}

# packages_broken: which of both are not as they were written down.
packages_broken() {
  [ -e "$VAR/packages" ] || [ -e "$VAR/kept" ] || return 0
  (cd "$VAR" && exec sha256sum packages users groups kept/packages kept/users kept/groups 2>/dev/null) | awk -v sums="$VAR/kept/sums" '
    { there[$2] = $1 }
    END {
      while ((getline line <sums) > 0) if (split(line, word, " ") == 2) { kept[word[2]] = word[1]; lines++ }
      n = split("packages users groups", name, " ")
      for (i = 1; i <= 2 * n; i++) {
        of = name[(i - 1) % n + 1]; file = (i > n ? "kept/" : "") of
        if (!(of in kept)) lost = 1
        else if (there[file] != kept[of]) print file
      }
      if (lost || lines != n) print "kept/sums"
    }
  '
}

# packages_mend: from the other one, where that is whole.
packages_mend() {
  local name
  [ ! -e "$VAR/packages.before" ] || return 0
  packages_broken >"$RUN/broken"
  [ -s "$RUN/broken" ] || return 0
  for name in packages users groups; do
    grep -qx "$name" "$RUN/broken" || continue
    grep -qxE "kept/($name|sums)" "$RUN/broken" || cp "$VAR/kept/$name" "$VAR/$name" || return 1
  done
  packages_keep
}

# packages_purge: those we brought, as far as nothing the operator installed since depends on them.
packages_purge() {
  local group user
  packages_recover
  packages_mend
  [ -s "$VAR/packages" ] || return 0
  sort -u "$VAR/packages" >"$RUN/purge"
  installed | comm -12 - "$RUN/purge" >"$RUN/purge.have"
  while [ -s "$RUN/purge.have" ]; do
    # shellcheck disable=SC2046 # a list of names
    dpkg --no-act --purge $(cat "$RUN/purge.have") >"$RUN/purge.dry" 2>&1 && break
    awk '/dependency problems prevent removal of/ { sub(/:$/, "", $NF); print $NF }' "$RUN/purge.dry" | sort -u >"$RUN/purge.keep"
    [ -s "$RUN/purge.keep" ] || break
    say "other packages need $(tr '\n' ' ' <"$RUN/purge.keep")which stay"
    awk -v keep="$RUN/purge.keep" '
      BEGIN { while ((getline line <keep) > 0) { sub(/:.*/, "", line); kept[line] = 1 } }
      { name = $0; sub(/:.*/, "", name) } !(name in kept)
    ' "$RUN/purge.have" >"$RUN/purge.rest"
    mv "$RUN/purge.rest" "$RUN/purge.have"
  done
  [ -s "$RUN/purge.have" ] || return 0
  touch "$VAR/users" "$VAR/groups"
  say "removing $(tr '\n' ' ' <"$RUN/purge.have")"
  # shellcheck disable=SC2046 # a list of names
  apt_get purge $(cat "$RUN/purge.have") || refuse "apt-get cannot purge what vpc6 installed:
$(grep -E '^(E|W|dpkg|Err)' "$RUN/apt.log" | tail -n 8)" || return
  # Debian leaves a purged package's system users and groups behind; ours came with the package, and its files are gone.
  while read -r user; do
    userdel "$user" >/dev/null 2>&1
  done <"$VAR/users"
  while read -r group; do
    groupdel "$group" >/dev/null 2>&1
  done <"$VAR/groups"
  :
}

# packages_drift FILE: those that are gone.
packages_drift() {
  local name names
  packages_broken >"$RUN/broken"
  while read -r name; do echo "- $VAR/$name changed"; done <"$RUN/broken"
  names=$(awk -v want="$RUN/packages.want" '
    BEGIN { printf "" >want }
    /^# vpc6 / { id = $3; next }
    NF && !($1 in by) { by[$1] = id; print $1, id >want; print $1 }
  ' "$1")
  # shellcheck disable=SC2016,SC2086 # dpkg-query's own fields; a list of names
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' $names 2>/dev/null |
    awk -v want="$RUN/packages.want" '
      $1 == "installed" { have[$2] = 1 }
      END { while ((getline line <want) > 0) { split(line, w, " "); if (!(w[1] in have)) print w[2], "package " w[1] " removed" } }
    '
}
