/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netns.h - network namespaces, veth pairs, processes and waiting, for tests as root.
 *
 * Namespaces have no name: a descriptor of the test's process holds them, so they disappear when it ends, however it
 * ends, and with them their devices and what is attached to these. Processes started here die with the test. So tests
 * may run at the same time, and a crash leaves nothing behind.
 *
 * Set-up that fails ends the test (cr_assert) with the command and its output.
 */
#ifndef TESTS_LIB_NETNS_H
#define TESTS_LIB_NETNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Deadline for what should happen at once. It is only reached if something is broken, so it is far more than a busy
 * machine needs; a test may need several such waits before it counts as hanging.
 */
#define NETNS_DEADLINE_MS 180000
#define NETNS_TIMEOUT_S 900

struct netns {
    int fd; /* the namespace; -1: none */
};

/* Skip the test, with the reason, if namespaces and BPF programs are not permitted (not root). */
void netns_need_root(void);

/* Create a namespace with `lo` up. The caller stays in its own. */
struct netns netns_new(void);

/* Return the calling thread's namespace. */
struct netns netns_here(void);

/* Close the descriptor. */
void netns_close(struct netns *ns);

/* Move the calling thread into that namespace (libbpf, sockets, /proc/thread-self/net …). */
void netns_enter(const struct netns *ns);

/* Call function(argument) inside and return to the caller's namespace. Returns its result. */
int netns_call(const struct netns *ns, int (*function)(void *argument), void *argument);

/*
 * Create a veth pair, one end in each namespace (which may be the same), both up, without addresses and traffic of
 * their own (no link-local address). MACs are 02:00:00:00:00:01 (a) and …:02 (b).
 */
void netns_veth(const struct netns *a, const char *name_a, const struct netns *b, const char *name_b);

/* The same with given MACs, for several pairs on one bridge. */
struct netns_end {
    const struct netns *ns;
    const char *name;
    const char *mac;
};
void netns_veth_pair(const struct netns_end *a, const struct netns_end *b);

/* Add "10.0.0.1/24" or "fd00::1/64", usable at once (no duplicate address detection). */
void netns_address(const struct netns *ns, const char *ifname, const char *address);

/*
 * Plug a node's e0 into the bridge's br0, as its port<number>: MAC 02:00:00:00:00:<number>, address <network>.<number>/24,
 * where network is the first three numbers of IPv4 addresses ("10.88.0").
 */
void netns_plug(const struct netns *bridge, const struct netns *node, const char *network, unsigned number);

/* Return an interface's index; 0: not there. */
unsigned netns_ifindex(const struct netns *ns, const char *ifname);

/* The kernel's counters of the interface. */
struct netns_statistics {
    uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets;
    uint64_t tx_dropped; /* not in tx_packets: on a veth, buffers that the peer's full queue refused */
};
struct netns_statistics netns_statistics(const struct netns *ns, const char *ifname);

/* ---- Commands and processes ---- */

/* Run a shell command inside to its end; it must succeed. */
void netns_run(const struct netns *ns, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Run a shell command inside to its end. Standard output and error go into out (terminated, truncated to size; NULL:
 * discarded). Returns the exit status, or 128 + signal if it was killed.
 */
int netns_output(const struct netns *ns, char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Start a program (argv, searched in PATH) inside and return its pid. Output goes to the file `output` (truncated;
 * NULL: discarded). It is killed when the test's process ends.
 */
pid_t netns_start(const struct netns *ns, const char *output, char *const argv[]);

/*
 * Do the same in a process group of its own, which is killed when the test's process ends, however it ends: for programs
 * that change their user, since such a process no longer dies with its parent.
 */
pid_t netns_start_group(const struct netns *ns, char *const argv[]);

/* Like netns_start(), but run function(argument) in a child process, which exits with its result. */
pid_t netns_fork(const struct netns *ns, int (*function)(void *argument), void *argument);

/* Wait for a process to end; at the deadline kill it and fail the test. Returns the status as netns_output() does. */
int netns_wait(pid_t pid, int deadline_ms);

/*
 * Give this process and its later children priority over the machine's other work, if permitted: for tests that measure
 * how soon something happens. netns_last_in_line() does the opposite, for the load in such a test.
 */
void netns_first_in_line(void);
void netns_last_in_line(void);

/* Return whether the process has already ended; its status is left for netns_wait(). */
bool netns_has_ended(pid_t pid);

/* Send the signal and wait for the end. */
int netns_stop(pid_t pid, int signal_number);

/* ---- Waiting ---- */

/* Call condition(argument) every 5 ms until it holds. False: it did not before the deadline. */
bool netns_until(bool (*condition)(void *argument), void *argument, int deadline_ms);

/* Wait until something listens on that TCP or bound UDP port inside; fail the test at the deadline. */
void netns_until_port(const struct netns *ns, const char *protocol, uint16_t port);

/* Wait until the file contains the text; at the deadline fail the test, showing the file. */
void netns_until_file(const char *path, const char *text, int deadline_ms);

/* Wait until the interface has counted that many received packets. */
void netns_until_rx(const struct netns *ns, const char *ifname, uint64_t packets);

/* Send one frame, as built, out of the interface. */
void netns_send(const struct netns *ns, const char *ifname, const void *frame, size_t bytes);

/* Send datagrams of 100 bytes to port 9000 of that address, so many a second, until the process is ended. */
pid_t netns_send_udp(const struct netns *from, const char *address, unsigned rate);

/* Return a number of /proc/PID/status in that base; UINT64_MAX: there is none. */
uint64_t netns_process_number(pid_t pid, const char *name, int base);

#endif
