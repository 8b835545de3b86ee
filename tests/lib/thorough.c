/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "thorough.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* Return whether this is a thorough run, which tests/run --all sets in the environment. */
static bool is_thorough(void)
{
    return getenv("TEST_ALL") != NULL;
}

unsigned thorough_rounds(unsigned usual, unsigned most)
{
    return is_thorough() ? most : usual;
}

unsigned thorough_seed(unsigned usual)
{
    const char *given = getenv("TEST_SEED");
    unsigned seed = usual;

    if (given)
        seed = (unsigned)strtoul(given, NULL, 0);
    else if (is_thorough() && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed = usual;
    if (seed != usual) {
        printf("    TEST_SEED=%u\n", seed);
        fflush(stdout);
    }
    return seed;
}
