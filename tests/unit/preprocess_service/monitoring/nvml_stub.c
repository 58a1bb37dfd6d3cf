// Stands in for NVIDIA's libnvidia-ml.so.1 with GPUs of 16 GB; tests turn its knobs.
#include <stdio.h>
#include <string.h>

enum { OK = 0, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9, GPU_IS_LOST = 15 };

int stub_devices = 2;
int stub_driver_is_gone = 0;
int stub_lost = -1;      // index of the GPU that answers nothing any more
int stub_powerless = -1; // index of the GPU that does not tell its power
int stub_free_mb = 12288;
int stub_starts = 0;

typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned gpu, memory; } utilization_t;
typedef struct { unsigned pid; unsigned long long used; unsigned instance, compute; } process_t;

static int handles[8] = {0, 1, 2, 3, 4, 5, 6, 7};

static int check(const int *gpu) {
    if (stub_driver_is_gone) return DRIVER_NOT_LOADED;
    if (gpu == NULL) return 2;
    return *gpu == stub_lost ? GPU_IS_LOST : OK;
}

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    if (stub_driver_is_gone) return DRIVER_NOT_LOADED;
    stub_starts++;
    return OK;
}

int nvmlShutdown(void) { return OK; }

int nvmlDeviceGetCount_v2(unsigned *count) {
    if (stub_driver_is_gone) return DRIVER_NOT_LOADED;
    *count = (unsigned)stub_devices;
    return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, int **gpu) {
    *gpu = &handles[index];
    return check(*gpu);
}

int nvmlDeviceGetName(int *gpu, char *name, unsigned length) {
    if (check(gpu)) return check(gpu);
    snprintf(name, length, "Stub GPU");
    return OK;
}

int nvmlDeviceGetUUID(int *gpu, char *uuid, unsigned length) {
    if (check(gpu)) return check(gpu);
    snprintf(uuid, length, "GPU-stub-%d", *gpu);
    return OK;
}

int nvmlDeviceGetMemoryInfo(int *gpu, memory_t *memory) {
    if (check(gpu)) return check(gpu);
    memory->total = 16384ULL << 20;
    memory->free = (unsigned long long)stub_free_mb << 20;
    memory->used = memory->total - memory->free;
    return OK;
}

int nvmlDeviceGetUtilizationRates(int *gpu, utilization_t *rates) {
    if (check(gpu)) return check(gpu);
    rates->gpu = 37;
    rates->memory = 11;
    return OK;
}

int nvmlDeviceGetTemperature(int *gpu, unsigned sensor, unsigned *celsius) {
    (void)sensor;
    if (check(gpu)) return check(gpu);
    *celsius = 61;
    return OK;
}

int nvmlDeviceGetPowerUsage(int *gpu, unsigned *milliwatts) {
    if (check(gpu)) return check(gpu);
    if (*gpu == stub_powerless) return NOT_SUPPORTED;
    *milliwatts = 71500;
    return OK;
}

int nvmlDeviceGetComputeRunningProcesses_v3(int *gpu, unsigned *count, process_t *processes) {
    if (check(gpu)) return check(gpu);
    if (*count < 2) {
        *count = 2;
        return INSUFFICIENT_SIZE;
    }
    *count = 2;
    processes[0] = (process_t){.pid = 4711, .used = 4096ULL << 20};
    processes[1] = (process_t){.pid = 4712, .used = ~0ULL}; // NVML's "not available"
    return OK;
}
