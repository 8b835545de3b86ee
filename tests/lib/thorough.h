/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* thorough.h - how `make test-all` exceeds `make test`: more rounds, and random seeds. */
#ifndef TESTS_LIB_THOROUGH_H
#define TESTS_LIB_THOROUGH_H

/* Return the number of rounds: `usual`, or `most` in a thorough run. */
unsigned thorough_rounds(unsigned usual, unsigned most);

/*
 * Return the seed of a test's random numbers: `usual`; a random one in a thorough run; or TEST_SEED, to reproduce a
 * failure. Printed unless it is the usual one.
 */
unsigned thorough_seed(unsigned usual);

#endif
