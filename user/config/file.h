/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* file.h - one file of settings. The form is described in config.h. */
#ifndef QPW_CONFIG_FILE_H
#define QPW_CONFIG_FILE_H

#include "config/config.h"

/* What reading goes with. */
struct qpw_config_reader {
    const struct argp *argp; /* whose options are the names */
    struct qpw_settings *config;
    void (*complain)(const char *line);
    size_t errors;
};

/* Adds what stands in the file, as a layer of its own. */
void qpw_config_read_file(struct qpw_config_reader *reader, const char *path);

#endif
