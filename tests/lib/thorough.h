/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* thorough.h - what `make test-all` does more of than `make test`: more rounds, and seeds that are drawn. */
#ifndef TESTS_LIB_THOROUGH_H
#define TESTS_LIB_THOROUGH_H

/* How many rounds: `usual`, or `most` in a thorough run. */
unsigned thorough_rounds(unsigned usual, unsigned most);

/*
 * The seed of a test's random numbers: `usual`; in a thorough run one that is drawn; or what TEST_SEED says, to have a
 * failure again. Printed where it is not the usual one.
 */
unsigned thorough_seed(unsigned usual);

#endif
