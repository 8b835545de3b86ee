/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vm.h - the program on another kernel, in an emulated machine. */
#ifndef TESTS_LIB_VM_H
#define TESTS_LIB_VM_H

/*
 * Boots the kernel of that Debian suite (tests/vm/fetch has put it below the build folder) and runs tests/vm/inside and
 * the verifier's table there; each check is a line of the output, which is kept for tests/vm/matrix. Fails the test
 * where one fails, skips it with the reason where the kernel could not be fetched or there is no emulator.
 */
enum vm_extent {
    VM_SHORT, /* attaching in each mode, counts, directions, a finding, reload, detach; the rest in a thorough run alone */
    VM_WHOLE  /* disturbances, owners of processes that end, and the verifier's table, too */
};

void vm_check(const char *suite, enum vm_extent extent);

#endif
