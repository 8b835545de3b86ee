/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cpu.h"

#include <criterion/criterion.h>
#include <sched.h>

bool cpu_pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set) == 0;
}

bool cpu_stay(void)
{
    return cpu_pin(sched_getcpu());
}

void cpu_need_two(int ret[2])
{
    cpu_set_t set;
    int n = 0;

    cr_assert_eq(sched_getaffinity(0, sizeof(set), &set), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
        if (CPU_ISSET(cpu, &set))
            ret[n++] = cpu;
    if (n < 2)
        cr_skip_test("needs two CPUs");
}
