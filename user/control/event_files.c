/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/event_files.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/lock.h"
#include "control/readers.h"

static int open_one(unsigned which, const struct group *group)
{
    char path[QPW_EVENT_FILE_PATH];
    struct stat st;
    int fd = open(qpw_event_file_path(which, path), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (!group || (fchown(fd, 0, group->gr_gid) == 0 && fchmod(fd, 0640) == 0)))
        return fd;
    close(fd);
    return -1;
}

void qpw_event_files_open(int ret_fd[QPW_EVENT_FILES])
{
    const struct group *group = getgrnam(QPW_READERS_GROUP);

    for (unsigned i = 0; i < QPW_EVENT_FILES; i++)
        ret_fd[i] = open_one(i, group);
    if (ret_fd[0] >= 0 && ret_fd[1] >= 0)
        return;
    for (unsigned i = 0; i < QPW_EVENT_FILES; i++) {
        if (ret_fd[i] >= 0)
            close(ret_fd[i]);
        ret_fd[i] = -1;
    }
}
