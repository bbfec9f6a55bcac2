"""Every architecture of a NAS-Bench-201 file, as scripts for the official package walk through it.

Usage: nb201_sweep.py FILE
"""

import random
import sys

from nas_201_api import NASBench201API as API


def main():
    random.seed(11)
    api = API(sys.argv[1], verbose=False)
    print(api)
    for index, arch in enumerate(api):
        print(f"{index:5d}/{len(api):5d}: {arch}")
        print(api.query_by_arch(arch, "200"))
        for dataset in ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120"):
            cost = api.get_cost_info(index, dataset)
            print(dataset, cost["flops"], cost["params"], cost["latency"])
            print("  one trial:", api.get_more_info(index, dataset, None, "200"))
            print("  mean     :", api.get_more_info(index, dataset, 3, "200", False))
        for seed, trial in api.query_by_index(index, "cifar100", "200").items():
            print("  seed", seed, trial, trial.get_latency())
            print("   ", trial.get_train(), trial.get_eval("x-valid"), trial.get_eval("x-test"))
        results = api.query_meta_info_by_index(index, "12")
        print("  ", results, results.get_metrics("cifar10-valid", "x-valid", None, True))
        print(api.str2matrix(arch))
    print(api.find_best("cifar100", "valid", hp="200"), api.statistics("cifar100", 200))
    print(api.query_index_by_arch("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"))


if __name__ == "__main__":
    main()
