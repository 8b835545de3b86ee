/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/rights.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/pid_namespace.h"

#define INITIAL_USER_NAMESPACE 0xEFFFFFFDu /* PROC_USER_INIT_INO, include/linux/proc_ns.h */

struct right {
    unsigned capability;
    const char *name, *without;
};

static const struct right needed[] = {
    {CAP_NET_ADMIN, "CAP_NET_ADMIN", "nothing can be attached to an interface, nor asked of it"},
    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "the kernel does not say whose programs are attached"},
};

static const struct right optional[] = {
    {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "processes of other users stay unknown, and 'detach' and 'reload' of those who cannot be looked into are refused"},
    {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "processes of other users may stay unknown"},
};

static bool has(const struct right *r)
{
    return capng_have_capability(CAPNG_EFFECTIVE, r->capability);
}

/* False also if /proc is unreadable; then the kernel's own checks decide. */
static bool in_other_user_namespace(void)
{
    struct stat st;

    return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != INITIAL_USER_NAMESPACE;
}

int qpw_rights_check(struct qpw_error *err)
{
    if (geteuid() != 0)
        return qpw_fail(err, -EPERM, "root privileges are required (try sudo)");
    if (capng_get_caps_process() < 0)
        return qpw_fail(err, -EPERM, "the capabilities of this process cannot be read");
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        if (!has(&needed[i]))
            return qpw_fail(err, -EPERM, "%s is missing: without it %s; run it as root with all capabilities",
                            needed[i].name, needed[i].without);
    if (in_other_user_namespace())
        return qpw_fail(err, -EPERM, "capabilities of this user namespace are not enough: the kernel wants CAP_SYS_ADMIN and "
                        "CAP_NET_ADMIN of the initial one; run it outside of the container");
    return 0;
}

const char *qpw_rights_optional(char *buf, size_t size)
{
    size_t used = 0;

    *buf = '\0';
    if (access("/proc/self/fd", X_OK) < 0) {
        snprintf(buf, size, "/proc is not mounted here: processes stay unknown, and 'detach' and 'reload' are refused ('kill' ends the auditor)");
        return buf;
    }
    if (!qpw_pid_proc_is_ours()) {
        snprintf(buf, size, "/proc is of another pid namespace: processes stay unknown, and 'detach' and 'reload' are refused ('kill' ends "
                 "the auditor)");
        return buf;
    }
    if (capng_get_caps_process() < 0)
        capng_clear(CAPNG_SELECT_ALL); /* treat as none */
    for (size_t i = 0; i < sizeof(optional) / sizeof(*optional) && used < size; i++)
        if (!has(&optional[i]))
            used += (size_t)snprintf(buf + used, size - used, "%s%s is missing: %s", used ? "; " : "", optional[i].name,
                                     optional[i].without);
    return buf;
}

#define RIGHTS 64

bool qpw_rights_have(unsigned capability)
{
    return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, capability);
}

static bool apply(capng_select_t set)
{
    return capng_apply(set) >= 0;
}

int qpw_rights_keep(const unsigned *kept, size_t n)
{
    bool have[RIGHTS] = {false};
    char left[120];
    int r;

    if (capng_get_caps_process() < 0)
        return -EPERM;
    for (size_t i = 0; i < n; i++)
        /* Capabilities it lacks cannot be kept. */
        have[kept[i] % RIGHTS] = capng_have_capability(CAPNG_EFFECTIVE, kept[i]);
    capng_clear(CAPNG_SELECT_ALL);
    for (size_t i = 0; i < n; i++)
        if (have[kept[i] % RIGHTS])
            capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, kept[i]);
    apply(CAPNG_SELECT_BOUNDS); /* needs CAP_SETPCAP, so it comes first; without that, no_new_privs has to suffice */
    /* A service without capabilities may not even be allowed to ask for fewer. */
    r = apply(CAPNG_SELECT_CAPS) || !qpw_rights_left(kept, n, left, sizeof(left)) ? 0 : -EPERM;
    apply(CAPNG_SELECT_AMBIENT);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : r;
}

int qpw_rights_keep_reading(void)
{
    static const unsigned kept[] = {CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};

    return qpw_rights_keep(kept, sizeof(kept) / sizeof(*kept));
}

bool qpw_rights_left(const unsigned *kept, size_t n, char *buf, size_t size)
{
    static const capng_type_t sets[] = {CAPNG_EFFECTIVE, CAPNG_PERMITTED, CAPNG_INHERITABLE, CAPNG_AMBIENT};
    bool wanted;

    if (capng_get_caps_process() < 0) {
        snprintf(buf, size, "those that are left cannot be read");
        return true;
    }
    for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++) {
        wanted = false;
        for (size_t i = 0; i < n; i++)
            wanted |= kept[i] == capability;
        for (size_t i = 0; i < sizeof(sets) / sizeof(*sets) && !wanted; i++)
            if (capng_have_capability(sets[i], capability)) {
                snprintf(buf, size, "capability %u (%s) could not be given up", capability,
                         capng_capability_to_name(capability) ? capng_capability_to_name(capability) : "unknown");
                return true;
            }
    }
    return false;
}
