#!/usr/bin/env bash
# Installs, where apt and root (or passwordless sudo) are there, the servers that the tests run
# against. Only what is missing; no daemon is started, none is left enabled. Never fails for want of
# rights: pytest says what is missing, and fails on it under CI=true.
set -euo pipefail
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

policy=/usr/sbin/policy-rc.d
cluster=/etc/postgresql-common/createcluster.conf

missing_packages() {
  local pair
  for pair in redis-server:redis-server memcached:memcached varnishd:varnish nginx:nginx \
    nats-server:nats-server prometheus:prometheus \
    prometheus-alertmanager:prometheus-alertmanager chromium:chromium; do
    command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"
  done
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ||
    command -v postgres >/dev/null || echo postgresql
}

become_root=()
may_install() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" -eq 0 ] && return 0
  become_root=(sudo -n)
  command -v sudo >/dev/null && sudo -n true 2>/dev/null
}

as_root() { "${become_root[@]}" "$@"; }

installed_packages() { dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' | sed -n 's/^ii *//p' | sort; }

# Package scripts ask policy-rc.d before they start a daemon; 101 means no.
forbid_starting_daemons() {
  [ -e "$policy" ] && return
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  trap 'as_root rm -f "$policy"' EXIT
}

forbid_a_database_cluster() {
  [ -e "$cluster" ] && return
  as_root mkdir -p "${cluster%/*}"
  echo 'create_main_cluster = false' | as_root tee "$cluster" >/dev/null
}

# Installing a package enables its units for the next boot, whatever policy-rc.d says.
disable_daemons_of() {
  local package path
  for package in "$@"; do
    for path in $(dpkg -L "$package"); do
      case $path in
        */systemd/system/*.service | */systemd/system/*.socket | */systemd/system/*.timer)
          # It serves package scripts alone, and knows them by this variable.
          as_root env DPKG_MAINTSCRIPT_PACKAGE="$package" \
            deb-systemd-helper disable "${path##*/}" >/dev/null 2>&1 || true ;;
        /etc/init.d/*)
          as_root update-rc.d "${path##*/}" disable >/dev/null 2>&1 || true ;;
      esac
    done
  done
}

install() {
  local before new log
  log=$(mktemp)
  before=$(installed_packages)
  forbid_starting_daemons
  forbid_a_database_cluster
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0
    -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold)
  as_root "${apt[@]}" update </dev/null
  as_root "${apt[@]}" install --no-install-recommends "$@" </dev/null >"$log" 2>&1 ||
    { cat "$log"; return 1; }
  new=$(comm -13 <(echo "$before") <(installed_packages))
  # shellcheck disable=SC2086  # one word a package
  disable_daemons_of $new
  rm -f "$log"
}

mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} -eq 0 ]; then
  exit 0
elif ! may_install; then
  echo "Not installed, and no right to install with apt: ${packages[*]}"
else
  echo "Installing for the tests: ${packages[*]}"
  install "${packages[@]}" || echo "apt could not install all of: ${packages[*]}"
fi
