/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pcapfile.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void pcapfile_start(struct pcapfile *f, uint32_t link_type)
{
    uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, link_type};
    int fd;

    snprintf(f->path, sizeof(f->path), "/tmp/qpw-test-XXXXXX");
    fd = mkstemp(f->path);
    cr_assert_geq(fd, 0);
    f->file = fdopen(fd, "w");
    cr_assert_not_null(f->file);
    cr_assert_eq(fwrite(header, sizeof(header), 1, f->file), 1);
}

void pcapfile_record(struct pcapfile *f, double time, const void *bytes, size_t captured, size_t original)
{
    uint32_t seconds = (uint32_t)time;
    uint32_t header[4] = {seconds, (uint32_t)((time - seconds) * 1e6 + 0.5), (uint32_t)captured, (uint32_t)original};

    cr_assert_eq(fwrite(header, sizeof(header), 1, f->file), 1);
    cr_assert_eq(fwrite(bytes, 1, captured, f->file), captured);
}

void pcapfile_packet(struct pcapfile *f, double time, const struct packet *p)
{
    pcapfile_record(f, time, p->data, p->length, p->length);
}

void pcapfile_cooked2(struct pcapfile *f, double time, const struct packet *p, uint8_t direction, uint32_t ifindex)
{
    static uint8_t record[PACKET_MAX + 20];

    memset(record, 0, 20);
    memcpy(record, p->data + 12, 2); /* EtherType */
    for (int i = 0; i < 4; i++)
        record[4 + i] = (uint8_t)(ifindex >> (24 - 8 * i));
    record[9] = 1; /* Ethernet */
    record[10] = direction;
    record[11] = 6;
    memcpy(record + 12, p->data + 6, 6);
    memcpy(record + 20, p->data + 14, p->length - 14);
    pcapfile_record(f, time, record, p->length + 6, p->length + 6);
}

void pcapfile_end(struct pcapfile *f)
{
    cr_assert_eq(fclose(f->file), 0);
    f->file = NULL;
}
