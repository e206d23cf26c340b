# One libvirt host of the rig, in namespaces of its own (net, mount, uts); `libvirt.ts` starts it.
# $1 its folder, $2 its name, $3 its address, $4 where QEMU's capabilities are kept between runs.
# Says "made", waits for a line (its link is there then), runs libvirtd until its input ends, and
# takes everything with it: so it does when whoever started it is killed.
set -u
folder=$1 name=$2 address=$3 cache=$4
controllers='cpu cpuset cpuacct memory freezer blkio devices unified'

hostname "$name"
mount --make-rprivate /
mkdir -p "$folder"/etc "$folder"/var "$folder"/run "$folder"/log "$cache"
# Debian makes this user with the service, which is not wanted here.
for table in passwd group; do
  cp "/etc/$table" "$folder/$table"
  mount --bind "$folder/$table" "/etc/$table"
done
getent passwd libvirt-qemu >/dev/null || echo 'libvirt-qemu:x:64055:64055::/:/bin/false' >>"$folder/passwd"
getent group libvirt-qemu >/dev/null || echo 'libvirt-qemu:x:64055:' >>"$folder/group"
printf '127.0.0.1 localhost\n10.77.0.1 host-a\n10.77.0.2 host-b\n' >"$folder/hosts"
mount --bind "$folder/hosts" /etc/hosts
for pair in "$folder/etc:/etc/libvirt" "$folder/var:/var/lib/libvirt" "$folder/run:/run/libvirt" \
  "$cache:/var/cache/libvirt" "$folder/log:/var/log/libvirt"; do
  mkdir -p "${pair#*:}"
  mount --bind "${pair%%:*}" "${pair#*:}"
done

cat >/etc/libvirt/libvirtd.conf <<END
listen_tls = 0
listen_tcp = 1
listen_addr = "$address"
auth_tcp = "none"
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_dir = "/run/libvirt"
host_uuid = "$(cat /proc/sys/kernel/random/uuid)"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
END
cat >/etc/libvirt/qemu.conf <<END
user = "root"
group = "root"
security_driver = "none"
namespaces = []
stdio_handler = "file"
migration_address = "$address"
migration_host = "$address"
END

# Both hosts name their groups alike: each gets a subtree of its own.
group=rig-$name-$$
for controller in $controllers; do
  own=/sys/fs/cgroup/$controller/$group
  mkdir -p "$own" 2>/dev/null || continue
  if [ "$controller" = cpuset ]; then
    cat "$own/../cpuset.cpus" >"$own/cpuset.cpus"
    cat "$own/../cpuset.mems" >"$own/cpuset.mems"
  fi
  mount --bind "$own" "/sys/fs/cgroup/$controller"
done

echo made
read -r _
libvirtd --listen --pid-file /run/libvirt/libvirtd.pid </dev/null >"$folder/log/output" 2>&1 &
daemon=$!
cat >/dev/null

exec 2>/dev/null
for file in "$folder"/run/qemu/*.pid; do
  [ -e "$file" ] && kill -9 "$(cat "$file")"
done
kill "$daemon"
wait "$daemon"
for controller in $controllers; do
  umount "/sys/fs/cgroup/$controller" 2>/dev/null
  for _ in 1 2 3 4 5; do
    find "/sys/fs/cgroup/$controller/$group" -depth -type d -exec rmdir {} + 2>/dev/null
    [ -e "/sys/fs/cgroup/$controller/$group" ] || break
    sleep 0.1
  done
done
