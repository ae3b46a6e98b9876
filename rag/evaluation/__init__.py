"""Measuring retrieval with the product's own parts. Nothing is imported here, so that each room is cheap to import.

    dataset = load_dataset(Path("my-data"))                          data.datasets
    result = evaluate_systems(dataset, "faq", settings, embedder)    run.runs
    write_report(result, Path("report"))                             report.reports

The way through the rooms: `data` (judged documents and questions), `run` (rankings of systems), `stats` (scores,
intervals, verdicts), `report` (tables, charts, files). `service` is what the shells use.
"""
