# Boots slot A or B, whichever comes first in BOOT_ORDER and has tries left. The variables are RAUC's (bootloader=uboot).
# They live twice on this partition, in the format of mkenvimage: Linux writes slots.env, this script writes both.
# bootstd sets devtype, devnum and distro_bootpart.
if test "${board}" = "rpi"; then
  # U-Boot's own addresses overlap with a kernel of 38 MB.
  setenv kernel 0x00200000; setenv state 0x04f00000; setenv initrd 0x05000000; setenv console ttyS1,115200
else
  setenv kernel ${kernel_addr_r}; setenv initrd ${ramdisk_addr_r}; setenv console ttyAMA0,115200
  setexpr state ${scriptaddr} + 0x100000
fi
setenv disk "${devtype} ${devnum}"
setenv here "${disk}:${distro_bootpart}"

setenv BOOT_ORDER; setenv BOOT_A_LEFT; setenv BOOT_B_LEFT; setenv known
for file in slots.env slots.bak; do
  if test -z "${known}"; then
    # -c: only with the right checksum
    if fatload ${here} ${state} ${file} && env import -c ${state} ${filesize} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; then
      setenv known ${file}
    else
      echo "${file} is damaged"
    fi
  fi
done
test -n "${BOOT_ORDER}" || setenv BOOT_ORDER "A B"
test -n "${BOOT_A_LEFT}" || setenv BOOT_A_LEFT 3
test -n "${BOOT_B_LEFT}" || setenv BOOT_B_LEFT 3

setenv slot none
for each in ${BOOT_ORDER}; do
  if test "${slot}" = "none"; then
    if test "${each}" = "A" && test 0x${BOOT_A_LEFT} -gt 0; then
      setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1; setenv slot A; setenv part 2
    elif test "${each}" = "B" && test 0x${BOOT_B_LEFT} -gt 0; then
      setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1; setenv slot B; setenv part 3
    fi
  fi
done
if test "${slot}" = "none"; then
  echo "no tries left in any slot: both get new ones"
  setenv BOOT_ORDER "A B"; setenv BOOT_A_LEFT 3; setenv BOOT_B_LEFT 3
fi

# The second copy first: while it is being written, the first one still holds what Linux wrote.
env export -c -s 0x4000 ${state} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
fatwrite ${here} ${state} slots.bak 0x4000
fatwrite ${here} ${state} slots.env 0x4000
if test "${slot}" = "none"; then reset; fi

echo "slot ${slot} of ${BOOT_ORDER}, tries left: A ${BOOT_A_LEFT}, B ${BOOT_B_LEFT}"
# kpti=off: the cores of all boards are on the kernel's list of those that Meltdown does not reach (kpti_safe_list); it
# would isolate its page tables only to keep its address a secret, from programs that are the Plug's own.
setenv bootargs "root=PARTUUID=@DISK_ID@-0${part} ro rootwait console=${console} panic=10 kpti=off rauc.slot=${slot} net.ifnames=0 quiet"
if load ${disk}:${part} ${kernel} /boot/vmlinuz && load ${disk}:${part} ${initrd} /boot/initrd.img; then
  usb stop
  booti ${kernel} ${initrd}:${filesize} ${fdt_addr}
fi
echo "slot ${slot} does not boot"
sleep 3
reset
