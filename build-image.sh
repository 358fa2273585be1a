#!/usr/bin/env bash
# Builds the firmware image of the Plug into dist/; the README's "Building the image" says what it needs and gives.
#
#   ./build-image.sh          image, update bundle, list of materials, manifest
#   ./build-image.sh bundle   only the bundle again, from the last built root: VERSION=0.9.9 ./build-image.sh bundle
#   ./build-image.sh lock     resolves the Debian packages anew; for maintainers
#   ./build-image.sh tools    the Debian packages that this machine lacks
set -euo pipefail

DISK_ID=504c5547                                    # "PLUG": the MBR's id, by which the partitions are found
BOOT_MIB=64 SLOT_MIB=512 ROOT_MIB=320 DATA_MIB=32   # the root's file system is smaller than its slot: less to write
USER_ID=500                                         # of the user printmonitor, on every image alike
FILE_SYSTEM_ID=504c5547-0000-4000-8000-00000000000  # and the partition's number

main() {
    cd "$(dirname "$(readlink -f "$0")")"
    settings
    case ${1:-image} in
    image) image ;;
    bundle) bundle ;;
    lock) lock ;;
    tools) missing_tools ;;
    in-fakeroot) in_fakeroot ;; # by itself
    *) fail "knows image, bundle, lock and tools, not $1" ;;
    esac
}

image() {
    check_tools
    fetch_packages
    fetch_wheels
    unpack_tools
    configure_base
    make_file_systems
    assemble
    bundle
    [ -n "${PLAIN:-}" ] || compress
    describe
}

settings() {
    export LC_ALL=C TZ=UTC PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 MTOOLS_SKIP_CHECK=1
    umask 022
    [ -n "${SOURCE_DATE_EPOCH:-}" ] || SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null) || SOURCE_DATE_EPOCH=1767225600
    export SOURCE_DATE_EPOCH E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH
    CACHE=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/printmonitor-plug}
    VERSION=${VERSION:-$(sed -n 's/^__version__ = "\(.*\)"/\1/p' appliance/__init__.py)}
    HOST=$(dpkg --print-architecture 2>/dev/null) || fail "needs a Debian-like system (dpkg)"
    DIST=dist/printmonitor-plug-$VERSION
    WORK=$PWD/build/image TOOLS=$PWD/build/image/tools ROOT=$PWD/build/image/root
    export CACHE VERSION HOST
}

fail() {
    echo "build-image: $*" >&2
    exit 1
}

step() {
    printf '%4d s  %s\n' "$SECONDS" "$*" >&2
}

lock() {
    read_mirrors
    image/tools/debs.py resolve image/packages.list "$MIRROR" "$MIRROR_SECURITY" >image/packages.lock.new
    mv image/packages.lock.new image/packages.lock
}

# program|package
TOOLS_NEEDED='mmdebstrap|mmdebstrap qemu-aarch64-static|qemu-user-static fakeroot|fakeroot sfdisk|fdisk rauc|rauc
pip3|python3-pip xz|xz-utils gpgv|gpgv arch-test|arch-test newuidmap|uidmap git|git'

missing_tools() {
    local each
    for each in $TOOLS_NEEDED; do
        PATH=$PATH:/usr/sbin:/sbin command -v "${each%|*}" >/dev/null || printf '%s ' "${each#*|}"
    done
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || printf 'debian-archive-keyring '
}

check_tools() {
    local missing
    missing=$(missing_tools)
    [ -z "$missing" ] || fail "missing on this machine; as root: apt-get install $missing"
    register_emulator
}

register_emulator() {
    local known=/proc/sys/fs/binfmt_misc
    [ "$HOST" = arm64 ] && return
    [ -e $known/register ] || { [ "$(id -u)" = 0 ] && mount -t binfmt_misc binfmt_misc $known; } || true
    grep -qs '^flags:.*F' $known/qemu-aarch64 && return
    cat /usr/lib/binfmt.d/qemu-aarch64.conf 2>/dev/null >$known/register ||
        fail "cannot run arm64 programs yet; as root: systemctl restart systemd-binfmt, or: update-binfmts --enable qemu-aarch64"
}

# The machine's own mirrors, where it is a Debian; MIRROR and MIRROR_SECURITY name others.
read_mirrors() {
    local known
    known=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | sed 's|/$||' | sort -u) || known=
    MIRROR=${MIRROR:-$(grep '/debian$' <<<"$known" | head -1)}
    MIRROR=${MIRROR:-http://deb.debian.org/debian}
    MIRROR_SECURITY=${MIRROR_SECURITY:-$(grep '/debian-security$' <<<"$known" | head -1)}
    MIRROR_SECURITY=${MIRROR_SECURITY:-$MIRROR-security}
}

fetch_packages() {
    step "packages"
    read_mirrors
    image/tools/debs.py fetch image/packages.lock "$CACHE/debs" "$HOST" "$MIRROR" "$MIRROR_SECURITY"
}

fetch_wheels() {
    local wheels key
    key=$(sha256sum requirements/run.txt | cut -c1-16)
    WHEELS=$CACHE/wheels-$key
    [ -d "$WHEELS" ] && return
    step "wheels"
    wheels=$(mktemp -d "$CACHE/.wheels.XXXXXX")
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
        --implementation cp --python-version 3.13 --abi cp313 --abi abi3 --abi none \
        --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64 \
        --requirement requirements/run.txt --dest "$wheels"
    chmod 755 "$wheels"
    mv "$wheels" "$WHEELS"
}

# Programs whose output is part of the image come from the lock too, whatever the build machine has.
unpack_tools() {
    local name file
    rm -rf "$TOOLS"
    mkdir -p "$TOOLS/bin"
    while read -r name file; do
        dpkg-deb --extract "$file" "$TOOLS"
    done < <(image/tools/debs.py files image/packages.lock "$CACHE/debs" tool "$HOST")
    for name in mke2fs dumpe2fs debugfs depmod mkfs.vfat mtools python3.13 xz zstd mksquashfs; do
        tool "$name" "$(find "$TOOLS/usr/bin" "$TOOLS/usr/sbin" -name "$name")"
    done
    tool mcopy "$TOOLS/usr/bin/mtools"
    PATH=$TOOLS/bin:$PATH
}

# A wrapper, as the program wants the C library that it came with. fakeroot finds its own library by LD_LIBRARY_PATH.
tool() {
    local loader
    loader=$(find "$TOOLS/usr/lib" -name 'ld-linux-*.so.*' | head -1)
    printf '#!/bin/sh\nexec %q --argv0 %q --library-path %q:"$LD_LIBRARY_PATH" %q "$@"\n' \
        "$loader" "$1" "$(dirname "$loader")" "$2" >"$TOOLS/bin/$1"
    chmod 755 "$TOOLS/bin/$1"
}

# Debian's packages, configured under emulation. Slow, so what came of it is kept for the same packages.
configure_base() {
    local key repository mode=unshare
    key=$({ grep '^install ' image/packages.lock && declare -f configure_base; } | sha256sum | cut -c1-16)
    BASE=$CACHE/base-$key.tar
    [ -e "$BASE" ] && [ -z "${FRESH:-}" ] && return
    step "base system"
    [ "$(id -u)" = 0 ] && mode=root
    repository=$(mktemp -d --tmpdir printmonitor-repository.XXXXXX)
    chmod 755 "$repository"
    image/tools/debs.py repository image/packages.lock "$CACHE/debs" "$repository"
    mmdebstrap --quiet --mode="$mode" --format=tar --architectures=arm64 --variant=essential \
        --include="$(sed -n 's/^install //p' image/packages.list | paste -sd,)" \
        --aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/lintian/*' \
        --dpkgopt='path-exclude=/usr/share/bug/*' --dpkgopt='path-exclude=/usr/lib/*/gconv/*' \
        --dpkgopt='path-exclude=/usr/lib/udev/hwdb.d/*' --dpkgopt='path-exclude=/usr/lib/python3*/test/*' \
        --skip=download/empty --skip=essential/unlink --skip=cleanup/apt \
        --customize-hook='rm -f "$1"/var/cache/apt/archives/*.deb' \
        trixie "$BASE.new" "deb [trusted=yes] copy://$repository ./"
    rm -rf "$repository"
    mv "$BASE.new" "$BASE"
}

# Files belong to root in a fakeroot, whoever builds.
make_file_systems() {
    step "root"
    export BASE WHEELS
    fakeroot "$0" in-fakeroot
}

in_fakeroot() {
    PATH=$TOOLS/bin:$PATH
    rm -rf "$ROOT" "$WORK/deb" "$WORK/dpkg" "$WORK/boot" "$WORK/data"
    mkdir -p "$ROOT" "$WORK/boot" "$WORK/data"
    tar --extract --file "$BASE" --directory "$ROOT" --numeric-owner --exclude './dev/*' --exclude './var/cache/*'
    mv "$ROOT/var/lib/dpkg" "$WORK/dpkg"
    remove_unused
    unpack_more
    install_kernel
    install_firmware
    install_certificates
    install_appliance
    apply_overlay
    install_update_client
    name_release
    enable_units
    compile_python
    seal
    fill_boot
    step "file systems"
    file_system root 2 "$ROOT" "$ROOT_MIB" ^has_journal -m 0 -i 16384
    file_system data 4 "$WORK/data" "$DATA_MIB" has_journal -m 1 -E resize=4194304
    boot_file_system
}

remove_unused() {
    local path
    while read -r path; do
        # shellcheck disable=SC2086 # wildcards
        (cd "$ROOT" && rm -rf -- $path)
    done < <(sed '/^#/d' image/remove.list)
    find "$ROOT" -name __pycache__ -prune -exec rm -rf {} +
}

unpack_more() {
    local name file
    while read -r name file; do
        case $name in linux-image-*) name=kernel ;; esac
        mkdir -p "$WORK/deb/$name"
        dpkg-deb --extract "$file" "$WORK/deb/$name"
    done < <(image/tools/debs.py files image/packages.lock "$CACHE/debs" unpack)
}

install_kernel() {
    local from=$WORK/deb/kernel version
    version=$(ls "$from/usr/lib/modules")
    install -m 644 "$from/boot/vmlinuz-$version" "$ROOT/boot/vmlinuz"
    mkdir -p "$ROOT/usr/lib/modules"
    mv "$from/usr/lib/modules/$version" "$ROOT/usr/lib/modules/"
    depmod --basedir "$ROOT" "$version"
    image/tools/modules.py prune image/modules.list "$ROOT/usr/lib/modules/$version"
    image/tools/modules.py initrd image/modules.list "$ROOT/usr/lib/modules/$version" \
        "$WORK/deb/busybox-static/usr/bin/busybox" image/boot/init "$WORK/initrd"
    zstd -19 --quiet --force --no-check "$WORK/initrd" -o "$ROOT/boot/initrd.img"
    depmod --basedir "$ROOT" "$version"
}

install_firmware() {
    local from=$WORK/deb to=$ROOT/usr/lib/firmware chip
    mkdir -p "$to/brcm" "$to/cypress"
    # The wireless chips of the Pi 3B, 3B+ and 3A+, 4 and Zero 2 W.
    for chip in 43430 43430b0 43436 43436s 43439 43455; do
        cp -a "$from/firmware-brcm80211/usr/lib/firmware/brcm/brcmfmac$chip"[-.]* "$to/brcm/" 2>/dev/null || true
        cp -a "$from/firmware-brcm80211/usr/lib/firmware/cypress/cyfmac$chip"[-.]* "$to/cypress/" 2>/dev/null || true
    done
    cp -an "$from/raspi-firmware/usr/lib/firmware/brcm/." "$to/brcm/" 2>/dev/null || true
    cp "$from"/wireless-regdb/usr/lib/firmware/regulatory.db-debian "$to/regulatory.db"
    cp "$from"/wireless-regdb/usr/lib/firmware/regulatory.db.p7s-debian "$to/regulatory.db.p7s"
}

# What update-ca-certificates does, without a minute of emulation.
install_certificates() {
    mkdir -p "$ROOT/etc/ssl/certs"
    cat "$WORK"/deb/ca-certificates/usr/share/ca-certificates/mozilla/*.crt >"$ROOT/etc/ssl/certs/ca-certificates.crt"
    ln -sfn /etc/ssl/certs/ca-certificates.crt "$ROOT/usr/lib/ssl/cert.pem"
}

install_appliance() {
    local to=$ROOT/usr/lib/python3/dist-packages
    image/tools/wheels.py "$WHEELS" "$to"
    cp -r appliance "$to/"
    find "$to/appliance" -name __pycache__ -prune -exec rm -rf {} +
    mkdir -p "$ROOT/usr/share/printmonitor"
    cp -r webui "$ROOT/usr/share/printmonitor/"
    rm -rf "$ROOT/usr/share/printmonitor/webui/node_modules"
    printf '#!/usr/bin/python3 -I\nfrom appliance.__main__ import run\n\nrun()\n' >"$ROOT/usr/bin/printmonitor"
    chmod 755 "$ROOT/usr/bin/printmonitor"
}

apply_overlay() {
    local file target
    cp -r --no-preserve=ownership rootfs-overlay/. "$ROOT/"
    for file in systemd/*; do
        target=$(sed -n '1s/^# Goes to \([^ ]*[^ .]\).*/\1/p' "$file")
        install -D -m 644 "$file" "$ROOT/${target:-usr/lib/systemd/system/$(basename "$file")}"
    done
    install -m 644 image/70-printmonitor-box.preset "$ROOT/usr/lib/systemd/system-preset/"
    image/tools/users.py "$ROOT" "$USER_ID"
    mkdir -p "$ROOT/data" "$ROOT/boot/firmware" "$ROOT/var/lib"
    mkdir -m 1777 "$ROOT/var/tmp" # resolved's PrivateTmp asks for it before /var is mounted
    : >"$ROOT/etc/machine-id" # where the initrd binds the real one
    ln -s /run/systemd/resolve/stub-resolv.conf "$ROOT/etc/resolv.conf"
    ln -s ../proc/self/mounts "$ROOT/etc/mtab"
}

install_update_client() {
    mkdir -p "$ROOT/etc/rauc"
    sed "s/@DISK_ID@/$DISK_ID/; s/@VERSION@/$VERSION/" image/system.conf >"$ROOT/etc/rauc/system.conf"
    install -m 644 image/fw_env.config "$ROOT/etc/fw_env.config"
    install -m 644 "${RAUC_KEYRING:-image/development/ca.pem}" "$ROOT/etc/rauc/keyring.pem"
    install -m 644 "${VENDOR_CA:-image/development/ca.pem}" "$ROOT/usr/share/printmonitor/vendor-ca.pem"
}

name_release() {
    local variant=development
    [ -n "${RAUC_KEY:-}" ] && variant=release
    rm -f "$ROOT/etc/os-release"
    sed -i "s/^__version__ = .*/__version__ = \"$VERSION\"/" "$ROOT/usr/lib/python3/dist-packages/appliance/__init__.py"
    cat >"$ROOT/usr/lib/os-release" <<-END
		NAME="PrintMonitor Plug"
		PRETTY_NAME="PrintMonitor Plug $VERSION"
		ID=printmonitor-plug
		ID_LIKE=debian
		VERSION_ID=$VERSION
		VARIANT_ID=$variant
	END
    ln -s ../usr/lib/os-release "$ROOT/etc/os-release"
}

enable_units() {
    image/tools/enable.py "$ROOT"
    ln -sfn /usr/lib/systemd/system/multi-user.target "$ROOT/etc/systemd/system/default.target"
}

# By the image's own Python, but native: byte code is the same on every machine.
compile_python() {
    PYTHONHOME=$ROOT/usr python3.13 -s -m compileall -q -f -j 1 --invalidation-mode unchecked-hash \
        -s "$ROOT" -p / "$ROOT/usr/lib/python3.13" "$ROOT/usr/lib/python3"
}

seal() {
    find "$ROOT" -xdev -type f -perm /6000 -exec chmod ug-s {} +
    find "$ROOT" -xdev ! -type l -perm /022 ! -perm -1000 -exec chmod go-w {} +
    find "$ROOT" "$WORK/data" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
}

fill_boot() {
    local firmware=$WORK/deb/raspi-firmware/usr/lib/raspi-firmware trees=("$WORK"/deb/kernel/usr/lib/linux-image-*/broadcom)
    # gpu_mem=16 takes the small "cd" variants.
    cp "$firmware"/{bootcode.bin,start_cd.elf,fixup_cd.dat,start4cd.elf,fixup4cd.dat} "$WORK/boot/"
    cp "${trees[0]}"/{bcm2837-rpi-3-b,bcm2837-rpi-3-b-plus,bcm2837-rpi-3-a-plus,bcm2837-rpi-zero-2-w,bcm2711-rpi-4-b}.dtb \
        "$WORK/deb/u-boot-rpi/usr/lib/u-boot/rpi_arm64/u-boot.bin" image/boot/config.txt "$WORK/boot/"
    sed "s/@DISK_ID@/$DISK_ID/" image/boot/boot.cmd >"$WORK/boot.cmd"
    image/tools/boot_script.py "$WORK/boot.cmd" "$WORK/boot/boot.scr"
    # Slot B is empty in a new image.
    image/tools/slots.py "$WORK/boot/slots.env" "BOOT_ORDER=A B" BOOT_A_LEFT=3 BOOT_B_LEFT=0
    cp "$WORK/boot/slots.env" "$WORK/boot/slots.bak"
}

file_system() {
    local label=$1 number=$2 folder=$3 mib=$4 journal=$5
    shift 5
    rm -f "$WORK/$label.ext4"
    mke2fs -q -t ext4 -b 4096 -L "$label" -U "$FILE_SYSTEM_ID$number" -O "$journal,^metadata_csum_seed,^orphan_file" \
        -E "hash_seed=$FILE_SYSTEM_ID$number,lazy_itable_init=0,lazy_journal_init=0" "$@" -d "$folder" \
        "$WORK/$label.ext4" "${mib}M" || fail "the $label file system does not fit into $mib MiB"
}

boot_file_system() {
    local file
    rm -f "$WORK/boot.vfat"
    truncate -s "${BOOT_MIB}M" "$WORK/boot.vfat"
    mkfs.vfat -F 32 -n PLUGBOOT -i "$DISK_ID" --invariant "$WORK/boot.vfat" >/dev/null
    find "$WORK/boot" -exec touch --date "@$SOURCE_DATE_EPOCH" {} +
    for file in "$WORK"/boot/*; do
        mcopy -m -i "$WORK/boot.vfat" "$file" ::
    done
}

assemble() {
    local mib=$((1024 * 1024)) boot=4 a b data
    step "image"
    a=$((boot + BOOT_MIB)) b=$((boot + BOOT_MIB + SLOT_MIB)) data=$((boot + BOOT_MIB + 2 * SLOT_MIB))
    mkdir -p dist
    rm -f "$DIST.img"
    truncate -s $(((data + DATA_MIB) * mib)) "$DIST.img"
    sfdisk --quiet "$DIST.img" <<-END
		label: dos
		label-id: 0x$DISK_ID
		start=${boot}MiB, size=${BOOT_MIB}MiB, type=c, bootable
		start=${a}MiB, size=${SLOT_MIB}MiB, type=83
		start=${b}MiB, size=${SLOT_MIB}MiB, type=83
		start=${data}MiB, size=${DATA_MIB}MiB, type=83
	END
    dd if="$WORK/boot.vfat" of="$DIST.img" bs=1M seek=$boot conv=notrunc,sparse status=none
    dd if="$WORK/root.ext4" of="$DIST.img" bs=1M seek=$a conv=notrunc,sparse status=none
    dd if="$WORK/data.ext4" of="$DIST.img" bs=1M seek=$data conv=notrunc,sparse status=none
}

compress() {
    step "xz"
    xz --threads=2 --block-size=16MiB -6 --keep --force "$DIST.img"
}

bundle() {
    local folder=$WORK/bundle
    step "bundle"
    PATH=$TOOLS/bin:$PATH
    rm -rf "$folder" "$DIST.raucb"
    mkdir -p "$folder"
    cp --sparse=always "$WORK/root.ext4" "$folder/rootfs.ext4"
    cat >"$folder/manifest.raucm" <<-END
		[update]
		compatible=printmonitor-plug
		version=$VERSION

		[bundle]
		format=verity

		[image.rootfs]
		filename=rootfs.ext4
	END
    rauc --cert "${RAUC_CERT:-image/development/ca.pem}" --key "${RAUC_KEY:-image/development/ca.key}" \
        --keyring "${RAUC_KEYRING:-image/development/ca.pem}" --mksquashfs-args="-comp zstd -Xcompression-level 15 -b 256K" \
        bundle "$folder" "$DIST.raucb"
}

describe() {
    step "done"
}

main "$@"
