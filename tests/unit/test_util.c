/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Growing arrays, and files read whole. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/array.h"
#include "util/file.h"

Test(array, elements_are_added_one_by_one_and_zeroed)
{
    int *array = NULL, *added;

    for (size_t n = 0; n < 1000; n++) {
        added = QPW_ADD(array, n);
        cr_assert(added == &array[n]);
        cr_assert_eq(*added, 0);
        *added = (int)n;
    }
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(array[i], i);
    free(array);
}

Test(array, one_of_any_size_is_extended_by_as_many_as_wanted)
{
    int *array = calloc(5, sizeof(*array)), *added;

    array[4] = 4;
    added = QPW_EXTEND(array, 5, 3);
    cr_assert(added == &array[5]);
    cr_expect_eq(array[4], 4);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(added[i], 0);
    cr_expect_not_null(QPW_EXTEND(array, 8, 0), "nothing more is not a failure");
    free(array);
    array = NULL;
    cr_expect_not_null(QPW_EXTEND(array, 0, 0), "nor is an array of nothing");
    free(array);
}

/* Feed `length` bytes in pieces of `piece` through a pipe and read them with that limit. */
static int read_piped(size_t length, size_t piece, size_t most, char **ret, size_t *ret_length)
{
    int ends[2], r;
    pid_t writer;

    cr_assert_eq(pipe(ends), 0);
    writer = fork();
    if (writer == 0) {
        char bytes[5000];

        close(ends[0]);
        memset(bytes, 'x', sizeof(bytes));
        for (size_t left = length; left; left -= left < piece ? left : piece)
            if (write(ends[1], bytes, left < piece ? left : piece) < 0)
                break;
        _exit(0);
    }
    close(ends[1]);
    r = qpw_file_bytes(ends[0], most, ret, ret_length);
    close(ends[0]);
    waitpid(writer, NULL, 0);
    return r;
}

Test(file, is_read_to_its_end_and_no_further_than_its_limit)
{
    static const struct {
        size_t length, piece, most, read;
    } cases[] = {{0, 1, 10, 0},           {10, 3, 10, 10},       {11, 11, 10, 11},         {50000, 5000, 10, 11},
                 {16384, 5000, 99999, 16384}, {99999, 777, 99999, 99999}, {100001, 4999, 99999, 100000}, {5, 5, 0, 1}};
    char *bytes;
    size_t length;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        cr_assert_eq(read_piped(cases[i].length, cases[i].piece, cases[i].most, &bytes, &length), 0);
        cr_expect_eq(length, cases[i].read, "case %zu: %zu", i, length);
        cr_expect_eq(strspn(bytes, "x"), length, "a zero byte ends it");
        free(bytes);
    }
    cr_expect_eq(qpw_file_bytes(-1, 10, &bytes, &length), -EBADF);
}
