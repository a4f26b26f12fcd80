/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * arch/x86/kvm/x86.c: loading a vCPU, the run loop, entry with its modes and windows.
 */
#include "kvmmmu/own/kvm_host.h"

/* vcpu_load, vcpu_put - vcpu->mutex held; load flushes the association with another LP */
void vcpu_load(struct kvm_vcpu *vcpu);
void vcpu_put(struct kvm_vcpu *vcpu);

/*
 * kvm_arch_vcpu_ioctl_run - KVM_RUN: 0 with vcpu->exit_reason, or -EINTR, -EFAULT (with
 * vcpu->exit_reason), -EIO, -EINVAL, -EOPNOTSUPP. vcpu->mutex held.
 */
int kvm_arch_vcpu_ioctl_run(struct kvm_vcpu *vcpu);

/* xfer_to_guest_mode - a signal is -EINTR; SRCU not held */
int xfer_to_guest_mode_handle_work(struct kvm_vcpu *vcpu);
bool xfer_to_guest_mode_work_pending(void);	/* one step */

/* kvm_service_requests - at the head of an entry: 1, or -EIO when the VM is dead */
int kvm_service_requests(struct kvm_vcpu *vcpu);
