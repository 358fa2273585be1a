#!/usr/bin/env bash
# Build the firmware image of the Plug into dist/; "Building the image" in the README describes needs and results.
#
#   ./build-image.sh          image, update bundle, list of materials, manifests
#   ./build-image.sh plain    the image and the bundle alone, without the minute for xz: for trying something
#   ./build-image.sh bundle   a bundle of the root built last, of another version: VERSION=0.9.9 ./build-image.sh bundle
#   ./build-image.sh lock     resolve the Debian packages anew; for maintainers
set -euo pipefail

DISK_ID=504c5547                                    # "PLUG": the MBR's id, by which the partitions are found
BOOT_MIB=64 SLOT_MIB=512 ROOT_MIB=320 DATA_MIB=32   # the root's file system is smaller than its slot: less to write
USER_ID=500                                         # of the user printmonitor, the same on every image
FILE_SYSTEM_ID=504c5547-0000-4000-8000-00000000000  # and the partition's number
NO_COMMIT=1767225600                                # the time of everything, where no commit tells one

main() {
    LOCK=$(readlink -m "${LOCK:-$(dirname "$0")/image/packages.lock}")
    cd "$(dirname "$(readlink -f "$0")")"
    settings
    case ${1:-image} in
    image) build; pack ;; # no && here: it would have bash overlook what fails in between
    plain) build ;;
    bundle) bundle ;;
    lock) image/tools/debs.py resolve image/packages.list image/packages.lock ;;
    in-fakeroot) in_fakeroot ;; # called by build
    *) fail "there is image, plain, bundle and lock, but no $1" ;;
    esac
}

settings() {
    export LC_ALL=C TZ=UTC PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 MTOOLS_SKIP_CHECK=1 HOST CACHE VERSION LOCK
    umask 022
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo $NO_COMMIT)}
    export SOURCE_DATE_EPOCH E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH
    HOST=$(dpkg --print-architecture 2>/dev/null) || fail "works on Debian and its like: there is no dpkg"
    CACHE=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/printmonitor-plug}
    VERSION=${VERSION:-$(sed -n 's/^__version__ = "\(.*\)"/\1/p' appliance/__init__.py)}
    WHEELS=$CACHE/wheels-$(sha256sum requirements/run.txt | cut -c1-16)
    WORK=$PWD/build/image DIST=dist/printmonitor-plug-$VERSION
    ROOT=$WORK/root TOOLS=$WORK/tools USED=$WORK/packages.lock # USED: the lock that the build really has, after fetching
    [[ ${RAUC_KEY:+k}${RAUC_CERT:+c}${RAUC_KEYRING:+r}${VENDOR_CA:+v} =~ ^(kcrv)?$ ]] ||
        fail "a release names RAUC_KEY, RAUC_CERT, RAUC_KEYRING and VENDOR_CA, all four"
    [ -e "$LOCK" ] || fail "there is no lock $LOCK"
    KEYRING=${RAUC_KEYRING:-image/development/ca.pem}
    PATH=$TOOLS/bin:$PATH:/usr/sbin:/sbin
}

fail() {
    echo "build-image: $*" >&2
    exit 1
}

step() {
    printf '%4d s  %s\n' "$SECONDS" "$*" >&2
}

check_tools() {
    local missing known=/proc/sys/fs/binfmt_misc
    missing=$(requirements/tools.py missing image)
    [ -z "$missing" ] || fail "this machine lacks tools; as root: apt-get install $missing"
    [ "$HOST" != arm64 ] || return 0
    # The kernel has to know how to run arm64 programs, and to keep the emulator open (F) for roots that lack it.
    [ -e $known/register ] || mount -t binfmt_misc binfmt_misc $known 2>/dev/null || true
    grep -qs '^flags:.*F' $known/qemu-aarch64 || cat /usr/lib/binfmt.d/qemu-aarch64.conf 2>/dev/null >$known/register ||
        fail "this kernel cannot run arm64 programs yet; as root: update-binfmts --enable qemu-aarch64"
}

build() {
    check_tools
    step "packages"
    mkdir -p "$WORK"
    image/tools/debs.py fetch image/packages.list "${LOCK#"$PWD/"}" "$CACHE/debs" "$HOST" "$USED"
    image/tools/debs.py compare image/packages.lock "$USED" >"$WORK/packages.state"
    image/tools/wheels.py fetch requirements/run.txt "$WHEELS"
    unpack_tools
    configure_base
    step "root"
    export BASE
    fakeroot ./build-image.sh in-fakeroot
    assemble
    bundle
}

# Programs whose output is part of the image come from the lock too, whatever the build machine has.
unpack_tools() {
    local name file
    rm -rf "$TOOLS"
    mkdir -p "$TOOLS/bin"
    while read -r name file; do
        dpkg-deb --extract "$file" "$TOOLS"
    done < <(image/tools/debs.py files "$USED" "$CACHE/debs" tool "$HOST")
    for name in mke2fs dumpe2fs debugfs depmod mkfs.vfat mcopy python3.13 xz zstd mksquashfs; do
        tool "$name" "$(find "$TOOLS/usr/bin" "$TOOLS/usr/sbin" -name "$name")"
    done
}

# A wrapper, as the program wants the C library that it came with. fakeroot finds its own library by LD_LIBRARY_PATH.
tool() {
    local loader
    loader=$(find "$TOOLS/usr/lib" -name 'ld-linux-*.so.*')
    # shellcheck disable=SC2016 # the wrapper's variables, not ours
    printf '#!/bin/sh\nexec %q --argv0 %q --library-path %q:"$LD_LIBRARY_PATH" %q "$@"\n' \
        "$loader" "$1" "$(dirname "$loader")" "$2" >"$TOOLS/bin/$1"
    chmod 755 "$TOOLS/bin/$1"
}

# Debian's packages, configured under emulation. Slow, so what came of it is kept for the same packages.
configure_base() {
    local key repository options mode=unshare
    key=$({ grep '^install ' "$USED" && declare -f configure_base && cat image/dpkg.cfg; } | sha256sum)
    BASE=$CACHE/base-${key:0:16}.tar
    [ ! -e "$BASE" ] || [ -n "${FRESH:-}" ] || return 0
    step "base system"
    [ "$(id -u)" != 0 ] || mode=root
    repository=$(mktemp -d --tmpdir printmonitor-repository.XXXXXX)
    chmod 755 "$repository"
    image/tools/debs.py repository "$USED" "$CACHE/debs" "$repository"
    mapfile -t options < <(sed 's/^/--dpkgopt=/' image/dpkg.cfg)
    # shellcheck disable=SC2016 # mmdebstrap gives the hook its root as $1
    SOURCE_DATE_EPOCH=$NO_COMMIT mmdebstrap --quiet --mode="$mode" --format=tar --architectures=arm64 \
        --variant=essential --include="$(sed -n 's/^install //p' image/packages.list | paste -sd,)" \
        --aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' "${options[@]}" \
        --skip=download/empty,essential/unlink,cleanup/apt \
        --customize-hook='rm -f "$1"/var/cache/apt/archives/*.deb' \
        trixie "$BASE.$$" "deb [trusted=yes] copy://$repository ./" ||
        fail "mmdebstrap cannot make the base system"
    rm -rf "$repository"
    mv "$BASE.$$" "$BASE"
}

# Here every file belongs to root, whoever builds.
in_fakeroot() {
    rm -rf "$ROOT" "${WORK:?}"/{deb,dpkg,boot,data}
    mkdir -p "$ROOT" "$WORK"/{boot,data}
    tar --extract --file "$BASE" --directory "$ROOT" --numeric-owner --exclude './dev/*' --exclude './var/cache/*'
    mv "$ROOT/var/lib/dpkg" "$WORK/dpkg"
    remove_unused
    unpack_more
    install_kernel
    install_appliance
    apply_overlay
    image/tools/enable.py "$ROOT" image/masked.list
    compile_python
    seal
    boot_file_system
    file_system root 2 "$ROOT" "$ROOT_MIB" -O ^has_journal -m 0 -i 16384
    file_system data 4 "$WORK/data" "$DATA_MIB" -m 1
}

remove_unused() {
    local path
    while read -r path; do
        # shellcheck disable=SC2086 # wildcards
        (cd "$ROOT" && rm -rf -- $path)
    done < <(grep -v '^#' image/remove.list)
    find "$ROOT" -name __pycache__ -prune -exec rm -rf {} +
}

unpack_more() {
    local name file place source
    while read -r name file; do
        mkdir -p "$WORK/deb/${name/#linux-image-*/kernel}"
        dpkg-deb --extract "$file" "$WORK/deb/${name/#linux-image-*/kernel}"
    done < <(image/tools/debs.py files "$USED" "$CACHE/debs" unpack)
    while read -r place source; do
        mkdir -p "$(dirname "$WORK/${place}x")"
        # shellcheck disable=SC2086 # wildcards
        cp -r "$WORK"/deb/$source "$WORK/$place"
    done < <(grep -v '^#' image/files.list)
    # What update-ca-certificates does, without a minute of emulation.
    cat "$WORK"/deb/ca-certificates/usr/share/ca-certificates/mozilla/*.crt >"$ROOT/etc/ssl/certs/ca-certificates.crt"
    ln -sfn /etc/ssl/certs/ca-certificates.crt "$ROOT/usr/lib/ssl/cert.pem"
}

install_kernel() {
    local version modules
    version=$(ls "$ROOT/usr/lib/modules")
    modules=$ROOT/usr/lib/modules/$version
    depmod --basedir "$ROOT" "$version"
    image/tools/modules.py prune image/modules.list "$modules"
    depmod --basedir "$ROOT" "$version"
    image/tools/modules.py initrd image/modules.list "$modules" "$WORK/deb/busybox-static/usr/bin/busybox" \
        image/boot/init "$WORK/initrd"
    zstd -19 --quiet --force --no-check "$WORK/initrd" -o "$ROOT/boot/initrd.img"
}

install_appliance() {
    local to=$ROOT/usr/lib/python3/dist-packages
    image/tools/wheels.py unpack "$WHEELS" "$to"
    mkdir -p "$ROOT/usr/share/printmonitor"
    cp -r appliance "$to/"
    cp -r webui "$ROOT/usr/share/printmonitor/"
    find "$to/appliance" -name __pycache__ -prune -exec rm -rf {} +
    printf '#!/usr/bin/python3 -I\nfrom appliance.__main__ import run\n\nrun()\n' >"$ROOT/usr/bin/printmonitor"
    chmod 755 "$ROOT/usr/bin/printmonitor"
}

apply_overlay() {
    local file target
    cp -r rootfs-overlay/. "$ROOT/"
    for file in systemd/* image/70-printmonitor-box.preset; do
        target=$(sed -n '1s/^# Goes to \([^ ]*[^ .:]\).*/\1/p' "$file")
        install -D -m 644 "$file" "$ROOT/${target:-usr/lib/systemd/system/$(basename "$file")}"
    done
    image/tools/users.py "$ROOT" "$USER_ID"
    mkdir -p "$ROOT"/{data,boot/firmware,etc/rauc,var/lib}
    mkdir -m 1777 "$ROOT/var/tmp" # resolved's PrivateTmp asks for it before /var is mounted
    install -m 644 "$KEYRING" "$ROOT/etc/rauc/keyring.pem"
    install -m 644 "${VENDOR_CA:-image/development/ca.pem}" "$ROOT/usr/share/printmonitor/vendor-ca.pem"
    filled image/os-release >"$ROOT/usr/lib/os-release"
    filled image/system.conf >"$ROOT/etc/rauc/system.conf"
}

filled() {
    local variant=${RAUC_KEY:+release} packages
    packages=$(head -n 1 "$WORK/packages.state")
    sed "s/@DISK_ID@/$DISK_ID/; s/@VERSION@/$VERSION/; s/@VARIANT@/${variant:-development}/; s/@PACKAGES@/$packages/" "$1"
}

# By the image's own Python, but native: byte code is the same on every machine.
compile_python() {
    PYTHONHOME=$ROOT/usr python3.13 -s -m compileall -q -f -j 1 --invalidation-mode unchecked-hash \
        -s "$ROOT" -p / "$ROOT/usr/lib/python3.13" "$ROOT/usr/lib/python3"
}

seal() {
    find "$ROOT" -xdev -type f -perm /6000 -exec chmod ug-s {} +
    find "$ROOT" -xdev ! -type l -perm /022 ! -perm -1000 -exec chmod go-w {} +
    find "$ROOT" "$WORK/data" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h --date "@$SOURCE_DATE_EPOCH" {} +
}

boot_file_system() {
    local file
    cp image/boot/config.txt "$WORK/boot/"
    filled image/boot/boot.cmd >"$WORK/boot.cmd"
    image/tools/boot_script.py "$WORK/boot.cmd" "$WORK/boot/boot.scr"
    image/tools/slots.py "$WORK/boot/slots.env" "BOOT_ORDER=A B" BOOT_A_LEFT=3 BOOT_B_LEFT=0 # B is empty in the beginning
    cp "$WORK/boot/slots.env" "$WORK/boot/slots.bak"
    rm -f "$WORK/boot.vfat"
    mkfs.vfat -C -F 32 -n PLUGBOOT -i "$DISK_ID" --invariant "$WORK/boot.vfat" $((BOOT_MIB * 1024)) >/dev/null
    for file in "$WORK"/boot/*; do
        touch --date "@$SOURCE_DATE_EPOCH" "$file"
        mcopy -m -i "$WORK/boot.vfat" "$file" ::
    done
}

file_system() {
    local label=$1 id=$FILE_SYSTEM_ID$2 folder=$3 mib=$4
    shift 4
    rm -f "$WORK/$label.ext4"
    mke2fs -q -t ext4 -b 4096 -L "$label" -U "$id" -E "hash_seed=$id,lazy_itable_init=0,lazy_journal_init=0" \
        -O "^metadata_csum_seed,^orphan_file" "$@" -d "$folder" "$WORK/$label.ext4" "${mib}M" ||
        fail "the $label file system does not fit into $mib MiB"
}

assemble() {
    local boot=4 a=$((4 + BOOT_MIB)) b=$((4 + BOOT_MIB + SLOT_MIB)) data=$((4 + BOOT_MIB + 2 * SLOT_MIB))
    mkdir -p dist
    rm -f "$DIST".*
    cp "$USED" "$DIST.lock"
    truncate -s "$((data + DATA_MIB))M" "$DIST.img"
    sfdisk --quiet "$DIST.img" <<-END
		label: dos
		label-id: 0x$DISK_ID
		start=${boot}MiB, size=${BOOT_MIB}MiB, type=c, bootable
		start=${a}MiB, size=${SLOT_MIB}MiB, type=83
		start=${b}MiB, size=${SLOT_MIB}MiB, type=83
		start=${data}MiB, size=${DATA_MIB}MiB, type=83
	END
    image/tools/disk.py "$DIST.img" $boot:"$WORK/boot.vfat" $a:"$WORK/root.ext4" $b: $data:"$WORK/data.ext4" >"$DIST.bmap"
}

bundle() {
    local root=$WORK/bundle/rootfs.ext4
    step "bundle"
    [ -e "$WORK/root.ext4" ] || fail "there is no root to make a bundle of; first: ./build-image.sh"
    rm -rf "$DIST.raucb" "$WORK/bundle"
    mkdir -p dist "$WORK/bundle"
    cp --sparse=always "$WORK/root.ext4" "$root"
    rename_root "$root"
    filled image/manifest.raucm >"$WORK/bundle/manifest.raucm"
    rauc --cert "${RAUC_CERT:-image/development/ca.pem}" --key "${RAUC_KEY:-image/development/ca.key}" --keyring "$KEYRING" \
        --mksquashfs-args="-comp zstd -Xcompression-level 15 -b 256K" bundle "$WORK/bundle" "$DIST.raucb" >/dev/null
}

# A root of another version: the same, but for the two files that say so.
rename_root() {
    local path file
    filled image/os-release | cmp -s - "$ROOT/usr/lib/os-release" && return
    for path in /usr/lib/os-release:image/os-release /etc/rauc/system.conf:image/system.conf; do
        file=$WORK/$(basename "$path")
        filled "${path#*:}" >"$file"
        printf 'rm %s\nwrite %s %s\n' "${path%:*}" "$file" "${path%:*}" | debugfs -w -f - "$1" >/dev/null 2>&1
    done
}

pack() {
    step "xz"
    xz --threads=2 --block-size=16MiB -6 --keep --force "$DIST.img"
    image/tools/materials.py spdx "$VERSION" "$WORK" "$WHEELS" >"$DIST.spdx.json"
    image/tools/materials.py sizes "$WORK" "$WHEELS" >"$DIST.manifest"
    (cd dist && sha256sum "${DIST#dist/}".{img,img.xz,raucb} >"${DIST#dist/}.sha256")
    image/tools/imager.py "$DIST" "$VERSION" >"$DIST.rpi-imager-manifest"
    step "done: $DIST.img.xz"
}

main "$@"
