/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Units and containers as /proc/PID/cgroup of either version names them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "host/process.h"
#include "util/text.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void expect_unit(const char *cgroup, const char *expected)
{
    char buf[128] = "untouched";

    qpw_cgroup_unit(cgroup, buf, sizeof(buf));
    cr_expect_str_eq(buf, expected, "'%s' gave '%s' instead of '%s'", cgroup, buf, expected);
}

Test(process, systemd_units)
{
    expect_unit("0::/system.slice/ssh.service\n", "ssh.service");
    expect_unit("0::/system.slice/system-serial\\x2dgetty.slice/serial-getty@ttyS0.service\n",
                "serial-getty@ttyS0.service");
    expect_unit("0::/user.slice/user-1000.slice/user@1000.service/app.slice/nc.service\n", "user@1000.service/nc.service");
    expect_unit("0::/user.slice/user-1000.slice/user@1000.service\n", "user@1000.service");
    expect_unit("0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", "user@1000.service/init.scope");
    expect_unit("0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope");
    expect_unit("0::/system.slice/nginx.service/worker\n", "nginx.service");
    expect_unit("12:cpu:/other.service\n1:name=systemd:/system.slice/chrony.service\n0::/\n", "chrony.service");
    expect_unit("0::/init.scope\n", "init.scope");
    /* What is below a unit was called so by whoever runs in it. */
    expect_unit("0::/system.slice/web.service/smbd.service\n", "web.service");
    expect_unit("0::/system.slice/web.service/docker-" ID ".scope\n", "web.service");
    expect_unit("0::/user.slice/user-1000.slice/session-3.scope/smbd.service\n", "session-3.scope");
    expect_unit("0::/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service\n",
                "systemd-nspawn@web.service");
    expect_unit("0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n",
                "user@1000.service/libpod 0123456789ab");
}

Test(process, containers)
{
    expect_unit("0::/system.slice/docker-" ID ".scope\n", "docker 0123456789ab");
    expect_unit("1:name=systemd:/docker/" ID "\n", "docker 0123456789ab");
    expect_unit("0::/machine.slice/libpod-" ID ".scope/container\n", "libpod 0123456789ab");
    expect_unit("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-" ID
                ".scope\n",
                "cri-containerd 0123456789ab");
    expect_unit("0::/" ID "\n", "container 0123456789ab");
    expect_unit("0::/lxc.payload.web/system.slice/nginx.service\n", "lxc web");
    expect_unit("1:name=systemd:/lxc/web\n", "lxc web");
}

Test(process, neither)
{
    expect_unit("", "");
    expect_unit("0::/\n", "");
    expect_unit("0::/user.slice\n", "");
    expect_unit("0::/deadbeef\n", "");
    expect_unit("nonsense without a slash", "");
    expect_unit("0::", "");
    expect_unit("0::////", "");
}

Test(process, names_longer_than_their_place_are_cut)
{
    char text[512], buf[16];

    snprintf(text, sizeof(text), "0::/%0300d.service\n", 7);
    qpw_cgroup_unit(text, buf, sizeof(buf));
    cr_assert_eq(strlen(buf), 15);
    snprintf(text, sizeof(text), "0::/docker-%s.scope\n", ID);
    qpw_cgroup_unit(text, buf, sizeof(buf));
    cr_assert_str_eq(buf, "docker 01234567");
}

static void expect_clean(const char *text, const char *expected)
{
    char buf[64];

    snprintf(buf, sizeof(buf), "%s", text);
    cr_expect_str_eq(qpw_text_clean(buf), expected, "gave '%s' instead of '%s'", buf, expected);
}

Test(process, what_a_process_calls_itself_cannot_steer_a_terminal)
{
    expect_clean("", "");
    expect_clean("nginx: worker", "nginx: worker");
    expect_clean("\033[31mred\a", "?[31mred?");
    expect_clean("a\rb\tc\nd\177", "a?b?c?d?");
    expect_clean("caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x92\xa5", "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x92\xa5");
    expect_clean("\xc2\x9b" "31m", "?31m");
    expect_clean("cut \xe6\x97", "cut ??");
    expect_clean("\xff\xc0\xaf\xed\xa0\x80", "??????");
}

Test(process, match_names)
{
    cr_assert_str_eq(qpw_match_name(QPW_MATCH_EXACT), "exact");
    cr_assert_str_eq(qpw_match_name(QPW_MATCH_KERNEL), "kernel");
    cr_assert_str_eq(qpw_match_name(QPW_MATCH_COUNT), "invalid");
}
