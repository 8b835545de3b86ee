/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event_files.h - the files of the newest lines of the alert log (alert/log/events.h): in the runtime folder, named by the
 * network namespace as the lock is, readable by root and by the group of readers.h.
 */
#ifndef QPW_CONTROL_EVENT_FILES_H
#define QPW_CONTROL_EVENT_FILES_H

#define QPW_EVENT_FILES 2u
#define QPW_EVENT_FILE_PATH 108u

/* Write the path of one of the files. Returns buf. */
const char *qpw_event_file_path(unsigned which, char buf[QPW_EVENT_FILE_PATH]);

/*
 * Open both files to append and read, creating them. The caller holds the lock, which removes them when it is released.
 * Failing is not fatal: then both are -1, and peers receive no events.
 */
void qpw_event_files_open(int ret_fd[QPW_EVENT_FILES]);

#endif
