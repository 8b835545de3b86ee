/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "snapshot/bypass.h"

#include <dirent.h>
#include <stdio.h>

/* Read the number in a sysfs file; 0 if there is none. */
static unsigned long long read_number(const char *directory, const char *file)
{
    unsigned long long number = 0;
    char path[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", directory, file);
    f = fopen(path, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%llu", &number) != 1)
        number = 0;
    fclose(f);
    return number;
}

/* Add a note for each port of one RDMA device that has carried packets. */
static int note_rdma_device(struct qpw_snapshot *s, const char *class, const char *device)
{
    struct qpw_note note = {.kind = QPW_NOTE_RDMA};
    char path[400], counters[480];
    struct dirent *port;
    DIR *ports;
    int r = 0;

    snprintf(path, sizeof(path), "%s/%.64s/ports", class, device);
    ports = opendir(path);
    while (r == 0 && ports && (port = readdir(ports))) {
        if (port->d_name[0] == '.')
            continue;
        snprintf(counters, sizeof(counters), "%s/%.16s/counters", path, port->d_name);
        note.count = read_number(counters, "port_rcv_packets") + read_number(counters, "port_xmit_packets");
        snprintf(note.name, sizeof(note.name), "%.63s", device);
        snprintf(note.detail, sizeof(note.detail), "%.16s", port->d_name);
        if (note.count)
            r = qpw_snapshot_note(s, &note);
    }
    if (ports)
        closedir(ports);
    return r;
}

static int note_rdma(struct qpw_snapshot *s, const char *sysfs)
{
    char class[200];
    struct dirent *device;
    DIR *devices;
    int r = 0;

    snprintf(class, sizeof(class), "%s/class/infiniband", sysfs);
    devices = opendir(class);
    while (r == 0 && devices && (device = readdir(devices)))
        if (device->d_name[0] != '.')
            r = note_rdma_device(s, class, device->d_name);
    if (devices)
        closedir(devices);
    return r;
}

/* Note the AF_XDP sockets of this network namespace, from its table of protocols. */
static int note_xdp_sockets(struct qpw_snapshot *s, const char *procfs)
{
    char path[200], line[256];
    int sockets = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s/net/protocols", procfs);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "XDP %*d %d", &sockets) == 1)
            break;
    if (f)
        fclose(f);
    return sockets <= 0 ? 0 : qpw_snapshot_note(s, &(struct qpw_note){.kind = QPW_NOTE_XDP_SOCKETS, .count = sockets});
}

/* Note the AF_PACKET sockets. The kernel does not report which of them bypass the queueing discipline. */
static int note_packet_sockets(struct qpw_snapshot *s, const char *procfs)
{
    char path[200], line[256];
    int sockets = -1; /* the first line is the heading */
    FILE *f;

    snprintf(path, sizeof(path), "%s/net/packet", procfs);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        sockets++;
    if (f)
        fclose(f);
    return sockets <= 0 ? 0
                        : qpw_snapshot_note(s, &(struct qpw_note){.kind = QPW_NOTE_PACKET_SOCKETS, .count = sockets});
}

int qpw_bypass_read(struct qpw_snapshot *s, const char *sysfs, const char *procfs)
{
    int r = note_rdma(s, sysfs);

    if (r < 0)
        return r;
    r = note_xdp_sockets(s, procfs);
    if (r < 0)
        return r;
    return note_packet_sockets(s, procfs);
}
