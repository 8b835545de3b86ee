/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_config.c - any bytes as two files of settings, cut where the first byte says: each complaint one line with the
 * place, whatever was taken has a value and replaces only what an earlier file gave, and a file written of what was taken
 * reads as the same settings without a complaint.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/settings.h"
#include "config/config.h"
#include "config/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void complain(const char *line)
{
    if (!*line || strchr(line, '\n') || !strstr(line, ": "))
        abort();
}

/* Reads those bytes as the next file; returns how many complaints there were. */
static size_t read_bytes(struct qpw_settings *config, const void *bytes, size_t size)
{
    struct qpw_config_reader reader = {.argp = &qpw_attach_argp, .config = config, .complain = complain};
    int fd = memfd_create("settings", MFD_CLOEXEC);
    char path[32];

    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    qpw_config_read_file(&reader, path);
    close(fd);
    return reader.errors;
}

static void check(const struct qpw_settings *config)
{
    const struct qpw_setting *s;

    for (size_t i = 0; i < config->n; i++) {
        s = &config->settings[i];
        if (!*s->name || !s->value || !s->from || s->layer > config->layers || (s->replaced && s->layer == config->layers))
            abort();
        if (s->flag && strcmp(s->value, "yes") && strcmp(s->value, "no"))
            abort();
    }
}

/* What was taken from one file, written as a file again. */
static void write_again(const struct qpw_settings *config, unsigned layer)
{
    struct qpw_settings again = {0};
    char *text = NULL;
    size_t size = 0, n = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        abort();
    for (size_t i = 0; i < config->n; i++)
        if (config->settings[i].layer == layer) {
            if (strchr(config->settings[i].value, '"'))
                fprintf(out, "%s %s\n", config->settings[i].name, config->settings[i].value);
            else
                fprintf(out, "%s = \"%s\" # again\n", config->settings[i].name, config->settings[i].value);
            n++;
        }
    fclose(out);
    if (read_bytes(&again, text, size) || again.n != n)
        abort();
    for (size_t i = 0, j = 0; i < config->n; i++)
        if (config->settings[i].layer == layer) {
            if (strcmp(config->settings[i].name, again.settings[j].name) || strcmp(config->settings[i].value, again.settings[j].value))
                abort();
            j++;
        }
    qpw_config_clear(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const given[] = {"peer", "iface"};
    struct qpw_settings config = {0};
    size_t cut;

    if (!size)
        return 0;
    cut = (size - 1) * data[0] / 256;
    read_bytes(&config, data + 1, cut);
    read_bytes(&config, data + 1 + cut, size - 1 - cut);
    qpw_config_settle(&config, NULL, 0);
    check(&config);
    write_again(&config, 1);
    write_again(&config, 2);
    qpw_config_settle(&config, given, 2);
    qpw_config_blame(&config, "cannot read '/etc/qportwatch/policy': eth0");
    qpw_config_clear(&config);
    return 0;
}
