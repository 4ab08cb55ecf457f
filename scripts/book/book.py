"""`make book`: train what is missing, write results, figures and tables, build the site. `make book-check`: verify."""

import argparse
import os
import sys

import chapters
import figures
import results
import sample
import site_pages
from experiments import Book
from train import Trainer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["train", "results", "pages", "site", "all", "check", "sample"])
    parser.add_argument("--mode", default="quick")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs side by side, each on one core")
    parser.add_argument("--match", default="", help="runs to train: a pattern found in \"EXPERIMENT, DATA: LABEL, seed N\"")
    arguments = parser.parse_args()
    what = arguments.what
    if what == "check":
        sys.exit(chapters.check())
    if what == "sample":
        sys.exit(sample.check(Book("quick"), arguments.jobs))
    if what in ("train", "results", "all"):
        book = Book(arguments.mode)
        trainer = Trainer(book)
        if what != "results":
            trainer.train_all(arguments.jobs, arguments.match)
        results.write_all(book, trainer)
    if what in ("results", "pages", "all"):
        figures.draw_all()
        chapters.fill_all()
    if what in ("site", "all"):
        site_pages.build()


if __name__ == "__main__":
    main()
