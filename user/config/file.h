/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* file.h - read one file of settings; config.h describes the format. */
#ifndef QPW_CONFIG_FILE_H
#define QPW_CONFIG_FILE_H

#include "config/config.h"

/* The context of reading. */
struct qpw_config_reader {
    const struct argp *argp; /* its options are the valid names */
    struct qpw_settings *config;
    void (*complain)(const char *line);
    size_t errors;
};

/* Add the file's settings as a separate layer. */
void qpw_config_read_file(struct qpw_config_reader *reader, const char *path);

#endif
