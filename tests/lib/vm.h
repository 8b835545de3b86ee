/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vm.h - the program on another kernel, in an emulated machine. */
#ifndef TESTS_LIB_VM_H
#define TESTS_LIB_VM_H

/*
 * Boots the kernel of that Debian suite (tests/vm/fetch has put it below the build folder) and runs tests/vm/inside and
 * the verifier's table there; each check is a line of the output, which is kept for tests/vm/matrix. Fails the test
 * where one fails, skips it with the reason where the kernel could not be fetched or there is no emulator.
 */
void vm_check(const char *suite);

#endif
