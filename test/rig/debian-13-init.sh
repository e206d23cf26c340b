#!/bin/sh
# In namespaces of its own: lays $WORK over $BASE, and becomes the systemd that lives there.
set -e
mount --make-rprivate /
root="$WORK/root"
mkdir "$root" "$WORK/upper" "$WORK/work"
mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$WORK/upper,workdir=$WORK/work" "$root"

mount -t proc proc "$root/proc"
# The kernel's settings and devices are those of the machine: not to be touched.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for folder in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$folder"; done
chmod 1777 "$root/tmp"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ip link set lo up

# Not chroot: in one no service could have users of its own (PrivateUsers).
cd "$root"
pivot_root . .
umount --lazy .
exec env -i container=test PATH=/usr/sbin:/usr/bin /usr/lib/systemd/systemd --show-status=no
