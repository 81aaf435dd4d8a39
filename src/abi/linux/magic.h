/* SPDX-License-Identifier: Apache-2.0 */
/* statfs(2) f_type of file systems. */
#pragma once

#define TMPFS_MAGIC           0x1021994
#define PROC_SUPER_MAGIC      0x9fa0
#define SYSFS_MAGIC           0x62656572
#define DEVPTS_SUPER_MAGIC    0x1cd1
#define RAMFS_MAGIC           0x858458f6
#define PIPEFS_MAGIC          0x50495045
#define SOCKFS_MAGIC          0x534f434b
#define ANON_INODE_FS_MAGIC   0x9041934
#define EXT4_SUPER_MAGIC      0xef53
#define BTRFS_SUPER_MAGIC     0x9123683e
#define XFS_SUPER_MAGIC       0x58465342
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define CGROUP_SUPER_MAGIC    0x27e0eb
#define CGROUP2_SUPER_MAGIC   0x63677270
#define NSFS_MAGIC            0x6e736673
#define HUGETLBFS_MAGIC       0x958458f6
#define DEBUGFS_MAGIC         0x64626720
#define SECURITYFS_MAGIC      0x73636673
#define BPF_FS_MAGIC          0xcafe4a11
#define NFS_SUPER_MAGIC       0x6969
#define V9FS_MAGIC            0x1021997
#define FUSE_SUPER_MAGIC      0x65735546
#define MQUEUE_MAGIC          0x19800202
#define PID_FS_MAGIC          0x50494446
