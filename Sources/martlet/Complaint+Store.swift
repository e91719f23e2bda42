// SPDX-License-Identifier: Apache-2.0

internal import MailStore
internal import Server

extension Complaint {
    /// A store that cannot be opened, with what can be done about it.
    init(_ error: StoreError, directory: String) {
        switch error {
        case .inUse(let why):
            self.init(.temporaryFailure, "\(why); end it, or give this one another data-directory")
        case .foreign(let why):
            self.init(.data, "\(directory): \(why)")
        case .full:
            self.init(.cannotCreate, "\(directory): the disk is full")
        case .retryable, .gone, .fenced, .overQuota, .exists, .notFound, .aliasLoop:
            self.init(
                .cannotCreate,
                "\(error.sentence); data-directory must be a directory this user may write to"
            )
        }
    }
}

extension Complaint {
    init(_ failure: Administrator.Failure) {
        switch failure {
        case .store(let why, let directory): self.init(why, directory: directory)
        case .server(let why): self.init(.unavailable, why)
        case .privilege(let failure): self.init(failure)
        }
    }

    init(_ failure: LeastPrivilege.Failure) {
        switch failure {
        case .noSuchUser(let why): self.init(.configuration, why)
        case .directory(let error): self.init(.cannotCreate, "\(error)")
        case .refused(let error): self.init(.noPermission, "\(error)")
        }
    }
}
