/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vm.h - the program on another kernel, in an emulated machine. */
#ifndef TESTS_LIB_VM_H
#define TESTS_LIB_VM_H

/*
 * Boot the kernel of that Debian suite (which tests/vm/fetch put below the build folder) and run tests/vm/inside and
 * the verifier's table there; each check is a line of the output, which is kept for tests/vm/matrix. Fail the test if a
 * check fails; skip it with the reason if the kernel could not be fetched or there is no emulator.
 */
enum vm_extent {
    VM_SHORT, /* attaching in each mode, counts, directions, a finding, reload, detach; thorough runs: the rest */
    VM_WHOLE  /* also disturbances, owners of processes that end, and the verifier's table */
};

void vm_check(const char *suite, enum vm_extent extent);

#endif
